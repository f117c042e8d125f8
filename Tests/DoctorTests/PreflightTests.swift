import Doctor
import Foundation
import Testing

/// What the preflight concludes from facts.
@Suite struct PreflightTests {
  /// Healthy ranks, `perHost` on each host, each with a core of its own; `change` makes them less so.
  private func job(
    hosts: [String] = ["a"], perHost: Int = 2, _ change: (inout RankFacts) -> Void = { _ in }
  ) -> JobFacts {
    JobFacts(
      hosts.indices.flatMap { host in
        (0..<perHost).map { local in
          var facts = RankFacts()
          facts.rank = host * perHost + local
          facts.host = hosts[host]
          facts.launch.launcher = "mpirun"
          facts.cores.allowed = [local]
          facts.cores.available = Array(0..<perHost)
          facts.network.interfaces = [.init("eth0", "10.0.0.\(host + 1)", prefix: 24)]
          change(&facts)
          return facts
        }
      })
  }

  private func expect(
    _ findings: [Finding], _ level: Finding.Level, _ subject: String, _ says: String...,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let finding = findings.first { $0.level == level && $0.subject == subject }
    #expect(finding != nil, "no \(level) of \(subject) in \(findings.map(\.message))", sourceLocation: sourceLocation)
    for text in says where finding != nil {
      #expect(finding!.message.contains(text), "\(finding!.message)", sourceLocation: sourceLocation)
    }
    #expect(findings.allSatisfy { $0.level != .warning || $0.remedy != nil }, sourceLocation: sourceLocation)
  }

  @Test(arguments: [["a"], ["a", "b"]])
  func `healthy ranks give no warning`(hosts: [String]) {
    let findings = Preflight.findings(job(hosts: hosts))
    #expect(findings.allSatisfy { $0.level == .ok }, "\(findings.map(\.message))")
    #expect(findings.count >= 8)
  }

  // MARK: Launch

  @Test func `an mpirun of another version is a warning`() {
    var probes = ProbeFacts()
    for (text, level) in [
      ("mpirun (Open MPI) 4.1.4", Finding.Level.ok), ("mpirun (Open MPI) 4.1.40", .warning),
      ("mpirun (Open MPI) 5.0.3", .warning), ("HYDRA build details:", .warning),
    ] {
      probes.mpirun = text
      expect(LaunchCheck.findings(job { $0.probes = probes }), level, "mpirun")
    }
    probes.mpirun = ""
    expect(LaunchCheck.findings(job { ($0.probes, $0.launch.launcher) = (probes, nil) }), .warning, "mpirun", "on PATH")
  }

  @Test func `another program on one rank is an error that names the rank`() {
    let findings = LaunchCheck.findings(job(hosts: ["a", "b"]) { if $0.rank == 3 { $0.launch.program = "icp 0.1" } })
    expect(findings, .error, "program", "rank 3 (host b)", "icp 0.1")
    #expect(PreflightReport(findings).exitStatus == 76)
    let files = LaunchCheck.findings(
      job { facts in
        facts.probes = ProbeFacts()
        facts.probes?.checksum = UInt32(facts.rank)
      })
    expect(files, .error, "program", "another file")
  }

  @Test func `processors of several kinds are a note, and so is a lone rank in a large allocation`() {
    expect(
      LaunchCheck.findings(job(hosts: ["a", "b"]) { $0.launch.processor = $0.host }), .note, "processors", "a, b")
    let alone = job(perHost: 1) { ($0.launch.launcher, $0.launch.allocatedTasks) = (nil, 8) }
    expect(LaunchCheck.findings(alone), .note, "launch", "8 tasks", "srun --mpi=pmix")
  }

  @Test func `hosts that compute in bfloat16 unlike each other are a note, and so is a host that cannot`() {
    expect(PrecisionCheck.findings(job()), .ok, "precision", "bfloat16 by AVX512_BF16")
    expect(PrecisionCheck.findings(job { $0.bfloat16 = nil }), .note, "precision", "float32 alone")
    let some = job(hosts: ["a", "b"]) { if $0.host == "b" { $0.bfloat16 = nil } }
    expect(PrecisionCheck.findings(some), .note, "precision", "b cannot compute in bfloat16")
    let kinds = job(hosts: ["a", "b"]) { if $0.host == "b" { $0.bfloat16 = "AMX" } }
    expect(PrecisionCheck.findings(kinds), .note, "precision", "AMX", "bits differ")
  }

  // MARK: Cores

  @Test func `more ranks than cores are a warning unless waiting ranks yield`() {
    let crowded = { (facts: inout RankFacts) in (facts.cores.allowed, facts.cores.available) = ([0, 1], [0, 1]) }
    expect(
      CoreCheck.findings(job(perHost: 4, crowded)), .warning, "cores", "4 ranks on 2 cores", "mpi_yield_when_idle=1")
    let yielding = job(perHost: 4) {
      crowded(&$0)
      $0.cores.yields = true
    }
    expect(CoreCheck.findings(yielding), .note, "cores", "4 ranks on 2 cores")
  }

  @Test func `a quota counts as cores, and threads count as ranks`() {
    expect(
      CoreCheck.findings(job(perHost: 4) { $0.cores.quota = 1.5 }), .warning, "cores", "4 ranks on 2 cores", "quota")
    #expect(CoreCheck.findings(job(perHost: 4) { $0.cores.quota = 4 }).allSatisfy { $0.level == .ok })
    var plan = PlanFacts()
    plan.threads = 3
    expect(CoreCheck.findings(job(perHost: 4) { $0.plan = plan }), .warning, "cores", "training.threads to 1")
  }

  @Test func `ranks bound to one core while others are free are a warning`() {
    let bound = job(perHost: 4) { $0.cores.allowed = $0.rank < 2 ? [0] : [$0.rank] }
    expect(CoreCheck.findings(bound), .warning, "binding", "rank 0, 1 ", "1 of the job's cores are free", "--bind-to")
    // All of the job's cores are in use: nothing to gain.
    let shared = job(perHost: 2) { ($0.cores.allowed, $0.cores.available, $0.cores.yields) = ([0], [0], true) }
    #expect(CoreCheck.findings(shared).allSatisfy { $0.level == .note })
  }

  @Test func `ranks that roam on a large machine, and many idle threads, are notes`() {
    let large = job { (facts: inout RankFacts) in
      facts.cores.allowed = Array(0..<64)
      facts.cores.available = Array(0..<64)
      facts.cores.threads = 64
    }
    expect(CoreCheck.findings(large), .note, "binding", "64 cores")
    expect(CoreCheck.findings(large), .note, "threads", "OPENBLAS_NUM_THREADS=1")
  }

  // MARK: Network

  @Test func `a bridge of each host's own leads to the network that all share`() {
    let findings = NetworkCheck.findings(
      job(hosts: ["a", "b"]) { $0.network.interfaces.append(.init("docker0", "172.17.0.1", prefix: 16)) })
    expect(
      findings, .warning, "network", "docker0 172.17.0.1/16", "OMPI_MCA_btl_tcp_if_include=10.0.0.0/24",
      "OMPI_MCA_oob_tcp_if_include=10.0.0.0/24")
  }

  @Test func `an interface that is on one host alone is a warning, unless it is not used`() {
    let one = { (facts: inout RankFacts) in
      if facts.host == "b" { facts.network.interfaces.append(.init("virbr0", "192.168.122.1", prefix: 24)) }
    }
    expect(NetworkCheck.findings(job(hosts: ["a", "b"], one)), .warning, "network", "b virbr0 192.168.122.1/24")
    for (include, exclude) in [("10.0.0.0/8", ""), ("eth0", ""), ("", "lo,virbr0"), ("", "127.0.0.1/8,192.168.0.0/16")]
    {
      let told = job(hosts: ["a", "b"]) {
        one(&$0)
        $0.network.include = include
        $0.network.exclude = exclude
      }
      expect(NetworkCheck.findings(told), .ok, "network", "10.0.0.0/24")
    }
    expect(
      NetworkCheck.findings(job(hosts: ["a", "b"]) { $0.network.include = "ib0" }), .warning, "network",
      "a has no interface")
  }

  @Test func `of several shared networks the fastest is named, and none at all is a warning`() {
    let two = job(hosts: ["a", "b"]) {
      $0.network.interfaces[0].speed = 1000
      $0.network.interfaces.append(.init("ib0", "10.9.0.\($0.rank + 1)", prefix: 16, speed: 100_000))
      $0.network.interfaces.append(.init("docker0", "172.17.0.1", prefix: 16))
    }
    expect(NetworkCheck.findings(two), .warning, "network", "if_include=10.9.0.0/16")
    let apart = job(hosts: ["a", "b"]) { $0.network.interfaces = [.init("eth0", "10.\($0.rank).0.1", prefix: 24)] }
    expect(NetworkCheck.findings(apart), .warning, "network", "no network that all 2 hosts are on")
  }

  @Test func `where other hosts are silent, a rank names the network towards mpirun's host`() {
    var facts = RankFacts()
    facts.host = "b"
    facts.network.interfaces = [
      .init("docker0", "172.17.0.1", prefix: 16), .init("eth0", "10.0.0.2", prefix: 24),
      .init("eth1", "10.9.0.2", prefix: 24),
    ]
    let uri = "7.0;tcp://172.17.0.1,10.0.0.1:4711;tcp6://[fd00::1]:4711"
    var environment = ["OMPI_COMM_WORLD_SIZE": "4", "OMPI_COMM_WORLD_LOCAL_SIZE": "2", "OMPI_MCA_orte_hnp_uri": uri]
    func finding() -> Finding { StartupTimeout.finding(facts, environment: environment, seconds: 15) }
    expect([finding()], .error, "network", "b: no word from the other hosts for 15 s", "to 10.0.0.0/24 and")
    #expect(finding().exitStatus == 75)
    // On mpirun's own host only the names of interfaces help.
    facts.network.interfaces = [.init("docker0", "172.17.0.1", prefix: 16), .init("eth0", "10.0.0.1", prefix: 24)]
    expect([finding()], .error, "network", "to 10.0.0.0/24 and")
    environment["OMPI_COMM_WORLD_LOCAL_SIZE"] = "4"
    expect([finding()], .error, "network", "from the other ranks")
  }

  // MARK: Space, limits, memory, clocks

  @Test func `too little room in /dev/shm or for temporary files is a warning that names the host`() {
    let small = job(hosts: ["a", "b"]) {
      if $0.host == "b" { $0.space.shared = .init("/dev/shm", total: 64 << 20, free: 8 << 20) }
      if $0.host == "b" { $0.space.temporary = .init("/tmp", total: 64 << 20, free: 0) }
    }
    expect(SpaceCheck.findings(small), .warning, "shared memory", "b: /dev/shm has 8 MiB free of 64 MiB", "--shm-size")
    expect(SpaceCheck.findings(small), .warning, "temporary files", "b: /tmp has 0 MiB free", "TMPDIR")
    let dropped = job {
      $0.space.shared = .init("/dev/shm", total: 1 << 20, free: 1 << 20)
      $0.space.sharesMemory = false
    }
    expect(SpaceCheck.findings(dropped), .warning, "shared memory", "over TCP")
    expect(SpaceCheck.findings(job { $0.space.shared = nil }), .warning, "shared memory", "a has no /dev/shm")
  }

  @Test func `limits too low for the job are warnings, core files a note`() {
    expect(LimitCheck.findings(job { $0.limits.files = 64 }), .warning, "limits", "64 open files", "ulimit -n")
    expect(LimitCheck.findings(job { $0.limits.processes = 70 }), .warning, "limits", "70 processes", "ulimit -u")
    let fabric = job { ($0.limits.hasInfiniBand, $0.limits.locked) = (true, 8 << 20) }
    expect(LimitCheck.findings(fabric), .warning, "limits", "ulimit -l")
    expect(LimitCheck.findings(job { $0.limits.core = nil }), .note, "core files")
    let text =
      "Limit                     Soft Limit           Hard Limit           Units\n"
      + "Max open files            1024                 524288               files\n"
      + "Max processes             unlimited            unlimited            processes\n"
    #expect(LimitFacts.limit("Max open files", in: text) == 1024)
    #expect(LimitFacts.limit("Max processes", in: text) == nil)
  }

  @Test func `ranks that need more memory than there is are a warning`() {
    var plan = PlanFacts()
    plan.bytes = 3 << 30
    plan.bytesToCome = 3 << 30
    let facts = { (available: Int) in self.job { ($0.plan, $0.memory.available) = (plan, available) } }
    expect(MemoryCheck.findings(facts(5 << 30)), .warning, "memory", "2 ranks of about 3072 MiB")
    expect(MemoryCheck.findings(facts(7 << 30)), .ok, "memory")
  }

  @Test func `clocks more than two seconds apart are a note`() {
    expect(
      ClockCheck.findings(job(hosts: ["a", "b"]) { $0.clock = $0.host == "b" ? 1003 : 1000 }), .note, "clocks",
      "b's is 3.0 s")
    #expect(ClockCheck.findings(job(hosts: ["a", "b"]) { $0.clock = 1000 + Double($0.rank) * 0.5 }).isEmpty)
  }

  // MARK: Probes

  private func probed(_ change: (inout ProbeFacts) -> Void) -> ProbeFacts {
    var probes = ProbeFacts()
    change(&probes)
    return probes
  }

  @Test func `memory that ranks may not read is a warning only where Open MPI would try`() {
    func findings(_ mechanism: String?) -> [Finding] {
      var copy = SingleCopyFacts()
      copy.error = "Operation not permitted"
      copy.ofAnotherRank = true
      copy.mechanism = mechanism
      return SingleCopyCheck.findings(job { $0.probes = probed { $0.singleCopy = copy } })
    }
    expect(findings("cma"), .warning, "single copy", "another rank's", "btl_vader_single_copy_mechanism=none")
    expect(findings("none"), .ok, "single copy", "does not try")
  }

  @Test func `a run directory that cannot be written ends with 74, one without room or locks is a warning`() {
    func findings(_ change: (inout RunDirectoryFacts) -> Void) -> [Finding] {
      var (directory, plan) = (RunDirectoryFacts(), PlanFacts())
      directory.free = 1 << 40
      plan.checkpointBytes = 1 << 20
      plan.checkpointsKept = 3
      change(&directory)
      return RunDirectoryCheck.findings(
        job {
          $0.plan = plan
          $0.probes = probed { $0.runDirectory = directory }
        })
    }
    #expect(findings { _ in }.allSatisfy { $0.level == .ok })
    let unwritable = findings { $0.problem = "runs: mkdir: Read-only file system" }
    expect(unwritable, .error, "run directory", "Read-only file system", "--run-dir")
    #expect(PreflightReport(unwritable).exitStatus == 74)
    expect(findings { $0.free = 3 << 20 }, .warning, "run directory", "4 checkpoints", "checkpoint.keep (3)")
    let full = findings { $0.free = 1000 }
    #expect(PreflightReport(full).exitStatus == 74)
    expect(findings { $0.missingLock = "No locks available" }, .warning, "run directory", "No locks available")
    expect(findings { $0.owner = "host a process 7" }, .note, "run directory", "host a process 7")
    expect(findings { $0.fileSystem = "nfs4" }, .note, "run directory", "nfs4")
    expect(findings { $0.fileSystem = "tmpfs" }, .note, "run directory", "tmpfs")
  }

  @Test func `a run directory that other hosts do not see is a note`() {
    let apart = job(hosts: ["a", "b"]) { facts in
      facts.probes = probed {
        $0.runDirectory = RunDirectoryFacts()
        $0.seesRunDirectory = facts.host == "a"
      }
    }
    expect(RunDirectoryCheck.findings(apart), .note, "run directory", "only a has it (not b)")
  }

  @Test func `a plan that fails on one host names it, and the first error decides the status`() {
    let findings = PlanCheck.findings(
      job(hosts: ["a", "b"]) {
        $0.plan = PlanFacts()
        if $0.host == "b" { $0.plan?.problem = .init("data: no such directory", exitStatus: 65) }
      })
    expect(findings, .error, "configuration", "on b: data: no such directory", "same paths")
    let later = Finding.error("run directory", "bad", exitStatus: 74)
    #expect(PreflightReport(findings + [later]).exitStatus == 65)
    #expect(PreflightReport([.warning("memory", "little", remedy: "less"), later]).exitStatus == 74)
  }

  @Test func `the report is a line a finding, and JSON with the same`() throws {
    let report = PreflightReport([
      .ok("MPI", "here"), .warning("memory", "little", remedy: "start fewer ranks"),
      .error("launch", "wrong", exitStatus: 64),
    ])
    #expect(
      report.text == """
        ok       MPI: here
        warning  memory: little; start fewer ranks
        error    launch: wrong
        3 findings: 1 warning, 1 error
        """)
    let object = try JSONSerialization.jsonObject(with: Data(report.json.utf8)) as? [String: Any]
    #expect(object?["exit_status"] as? Int == 64)
    let findings = try #require(object?["findings"] as? [[String: Any]])
    #expect(findings.map { $0["level"] as? String } == ["ok", "warning", "error"])
    #expect(findings[1]["remedy"] as? String == "start fewer ranks" && findings[2]["exit_status"] as? Int == 64)
  }
}
