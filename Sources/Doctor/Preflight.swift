import Configuration
import Files
import Foundation
import Logging
import MPI
import Planning
import Reduction
import Runtime

/// The look at ranks, hosts and files before a run: `icp doctor`, and in short every start of `icp train`. Each check
/// is a function of the facts that all ranks have gathered, so that all of them come to the same findings.
package enum Preflight {
  /// Those that need no more than a look.
  private static let checks: [@Sendable (JobFacts) -> [Finding]] = [
    LaunchCheck.findings, CoreCheck.findings, PrecisionCheck.findings, NetworkCheck.findings, SpaceCheck.findings,
    LimitCheck.findings, MemoryCheck.findings, ClockCheck.findings, SingleCopyCheck.findings, PlanCheck.findings,
    RunDirectoryCheck.findings,
  ]

  /// In the order of the checks.
  package static func findings(_ job: JobFacts) -> [Finding] { checks.flatMap { $0(job) } }

  /// Waits for all ranks: Open MPI connects them when they first talk to each other, and where it goes the wrong way it
  /// never returns. They left MPI_Init together, so that half a minute is ample also on a host that is crowded.
  package static func meet(_ communicator: Communicator) throws {
    guard communicator.size > 1 else { return }
    let timeout = StartupTimeout(seconds: 30)
    try communicator.barrier()
    timeout.end()
  }

  /// Throws on all ranks alike where they are on fewer hosts than `launch/train` asked for: Open MPI 5 may take the
  /// addresses of several hosts for its own, and put all ranks on one.
  package static func checkHosts(_ communicator: Communicator) throws {
    let wanted = ProcessInfo.processInfo.environment[LaunchVariable.hosts].flatMap { Int64($0) } ?? 0
    guard communicator.size > 1, try communicator.maximum([wanted])[0] > 1 else { return }
    let most = try communicator.maximum([wanted])[0]
    let hosts = Set(
      try communicator.gatherVarying(Array(Platform.host.utf8)).map { String(decoding: $0, as: UTF8.self) })
    guard hosts.count < most else { return }
    throw SharedError(
      exitCode: ExitCode.usage,
      description: "\(most) hosts were asked for, and all ranks are on \(listed(hosts.sorted())): "
        + "name hosts as they name themselves (hostname), not by address")
  }

  /// Everything, on every rank alike; takes as long as reading the data and writing 16 MiB.
  /// - Parameter configuration: or why it cannot be read; nil where none was given.
  package static func examine(
    configuration: Result<RunConfiguration, any Error>?, runDirectory: String, communicator: Communicator
  ) throws -> PreflightReport {
    var own = try RankFacts.read(communicator)
    own.plan = configuration.map { PlanFacts($0, rank: communicator.rank, ranks: communicator.size) }
    let target = UnsafeMutablePointer<UInt64>.allocate(capacity: 1)
    target.initialize(to: SingleCopyFacts.Target.value)
    defer { target.deallocate() }
    own.singleCopyTarget = SingleCopyFacts.Target(process: own.process, address: UInt(bitPattern: target))
    var ranks = try exchange(own, communicator)
    let probes = try probe(ranks, runDirectory: runDirectory, communicator)
    for rank in ranks.indices { ranks[rank].probes = probes[rank] }
    return PreflightReport(findings(JobFacts(ranks)))
  }

  /// Logs, on rank 0, what could cost this run time or its end; some milliseconds.
  /// - Parameter rank: this one's of the run, where the job has several; nil: as in the job.
  package static func warn(
    about plan: RunPlan, _ memory: RankMemory, rank: Int? = nil, communicator: Communicator, logger: Logger
  ) throws {
    var own = try RankFacts.read(communicator)
    own.plan = PlanFacts(plan, memory, rank: rank ?? communicator.rank)
    let ranks = try exchange(own, communicator)
    guard communicator.rank == 0 else { return }
    for finding in findings(JobFacts(ranks)) where finding.level >= .warning { logger.warning("\(finding.message)") }
  }

  private static func exchange(_ own: RankFacts, _ communicator: Communicator) throws -> [RankFacts] {
    var own = own
    // All ranks leave a barrier within milliseconds of each other.
    try communicator.barrier()
    own.clock = Date().timeIntervalSince1970
    return try gather(own, communicator)
  }

  private static func probe(
    _ ranks: [RankFacts], runDirectory: String, _ communicator: Communicator
  ) throws -> [ProbeFacts] {
    let own = ranks[communicator.rank]
    var facts = ProbeFacts()
    facts.checksum = Platform.executableChecksum
    let neighbours = ranks.filter { $0.host == own.host }
    let next = neighbours[(neighbours.firstIndex { $0.rank == own.rank }! + 1) % neighbours.count]
    if let target = next.singleCopyTarget {
      facts.singleCopy = try SingleCopyFacts.read(target, isOther: next.rank != own.rank)
    }
    let directory = communicator.rank == 0 ? RunDirectoryProbe(path: runDirectory) : nil
    // Other ranks look before the gathering, which none leaves before all have joined it.
    defer { directory?.remove() }
    if let directory {
      facts.runDirectory = directory.facts
      facts.mpirun = LaunchFacts.readMpirun()
    }
    let file = String(decoding: try communicator.broadcast(Array((directory?.file ?? "").utf8)), as: UTF8.self)
    if !file.isEmpty { facts.seesRunDirectory = FileManager.default.fileExists(atPath: file) }
    return try gather(facts, communicator)
  }

  private static func gather<Facts: Codable>(_ own: Facts, _ communicator: Communicator) throws -> [Facts] {
    return try communicator.gatherVarying(Array(JSONText.of(own).utf8)).map {
      try JSONDecoder().decode(Facts.self, from: Data($0))
    }
  }
}
