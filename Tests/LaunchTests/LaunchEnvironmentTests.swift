import Foundation
import TestSupport
import Testing
import Runtime

/// What launch/ makes of environments that others have: links, missing folders, users without a name, control groups.
@Suite(.serialized, .timeLimit(.minutes(2))) struct LaunchEnvironmentTests {
  @Test(arguments: ["train", "setup", "data", "check", "hosts"])
  func `a script may be started through a link`(name: String) throws {
    let folder = try TemporaryDirectory()
    let link = folder.path("my-command")
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: PackageRoot.path + "/launch/" + name)
    let outcome = try Program.run(executable: link, ["--help"], workingDirectory: folder.path)
    #expect(outcome.status == 0, "\(outcome.standardError)")
    #expect(outcome.standardOutput.hasPrefix("launch/\(name)"))
  }

  @Test func `a missing folder for temporary files is named, and not Swift`() throws {
    let tree = try LaunchTree()
    for (script, status) in [("setup", 1), ("train", 75)] {
      let outcome = try tree.run(script, environment: ["TMPDIR": "/none/here"])
      #expect(outcome.status == Int32(status))
      #expect(
        outcome.standardError
          == "launch/\(script): TMPDIR: /none/here is no folder that can be written: set TMPDIR to one\n")
      let relative = try tree.run(script, environment: ["TMPDIR": "."])
      #expect(relative.status == Int32(status))
      #expect(relative.standardError.hasPrefix("launch/\(script): TMPDIR: . is no whole path: set TMPDIR to one that"))
    }
  }

  @Test(.ranks) func `a program that is built needs no compiler`() throws {
    let tree = try LaunchTree()
    try #require(tree.run("setup").status == 0)
    for name in ["swift", "clang"] { try FileManager.default.removeItem(atPath: tree.folder.path("programs/" + name)) }
    let same = try tree.run("setup")
    #expect(same.status == 0 && same.standardOutput.isEmpty, "\(same.standardError)")
    try tree.folder.write("let two = 2\n", to: "Sources/icp/Two.swift")
    let other = try tree.run("train", ["-n", "1"])
    #expect(other.status == 0, "\(other.standardError)")
    #expect(
      other.standardOutput.contains("note: there is no Swift here, and .build/release/icp is not of these sources"))
    #expect(other.standardOutput.contains("rank 0 of 1"))
    try FileManager.default.removeItem(atPath: tree.folder.path(".build/release/icp"))
    let none = try tree.run("setup")
    #expect(none.status == 1 && none.standardError.contains("Swift is missing"))
  }

  /// mpirun 4.1 crashes without both; only root can become somebody without an entry.
  @Test(.ranks, .enabled(if: getuid() == 0)) func `a user without a name and a home can train`() throws {
    let tree = try LaunchTree()
    try #require(tree.run("setup").status == 0)
    _ = try Program.run(executable: "chown", ["-R", "54321:54321", tree.folder.path])
    let script = """
      unset HOME
      exec setpriv --reuid=54321 --regid=54321 --clear-groups bash launch/train -n 2
      """
    let outcome = try Program.run(
      executable: "bash", ["-c", script],
      environment: ["PATH": tree.folder.path("programs"), "ICP_SWIFT_FOLDERS": ""], timeLimit: 60,
      workingDirectory: tree.folder.path)
    #expect(outcome.status == 0, "\(outcome.standardError)")
    #expect(outcome.standardOutput.contains("rank 1 of 2"))
  }

  @Test(arguments: [
    ("0::/job/rank\n", ["job/cpu.max": "250000 100000", "cpu.max": "max 100000"]),
    ("0::/\n", ["cpu.max": "150000 100000"]),
    ("0::/../../job\n", ["job/cpu.max": "100000 100000"]),
    ("2:cpu,cpuacct:/docker/12ab\n", ["cpu/cpu.cfs_quota_us": "150000", "cpu/cpu.cfs_period_us": "100000"]),
    (
      "3:memory:/a\n2:cpu:/a/b\n0::/x\n",
      [
        "cpu/a/b/cpu.cfs_quota_us": "-1", "cpu/a/b/cpu.cfs_period_us": "100000", "cpu/a/cpu.cfs_quota_us": "400000",
        "cpu/a/cpu.cfs_period_us": "100000", "unified/x/cpu.max": "700000 100000",
      ]
    ),
    ("2:cpu:/a\n", ["cpu/a/cpu.cfs_quota_us": "a[$(touch ran)]", "cpu/a/cpu.cfs_period_us": "100000"]),
    ("", [:]),
  ])
  func `scripts and program see the same cores in a control group`(membership: String, files: [String: String]) throws {
    let tree = try TemporaryDirectory()
    for (name, text) in files { try tree.write(text + "\n", to: name) }
    try tree.write(membership, to: "membership")
    let script = "source '\(PackageRoot.path)/launch/common.sh'; group_cores . membership"
    let outcome = try Program.run(executable: "bash", ["-c", script], workingDirectory: tree.path)
    let cores = ControlGroup(root: tree.path, membership: membership).cores
    #expect(outcome.standardOutput == (cores.map { "\(Int($0.rounded(.up)))" } ?? "") + "\n")
    #expect(!FileManager.default.fileExists(atPath: tree.path("ran")))
  }

  @Test func `hostfiles are read as Open MPI reads them`() throws {
    let folder = try TemporaryDirectory()
    try folder.write(
      "\u{FEFF}node1 slots = 4  # four\r\nnode2\tcpu=2 max_slots= 9\n# none\n\nnode3\nnode4:3\nnode5 max-slots=8\n"
        + "  node6 slots =1", to: "hosts")
    let script =
      "source '\(PackageRoot.path)/launch/common.sh'; source \"$root/launch/hosts.sh\"; read_hostfile hosts; "
    let read = try Program.run(
      executable: "bash", ["-c", script + "echo ${host_names[@]} ${host_slots[@]}"], workingDirectory: folder.path)
    #expect(read.standardOutput == "node1 node2 node3 node4 node5 node6 4 2 1 3 1 1\n", "\(read.standardError)")
    try folder.write("node1\nnode2 sluts=2\n", to: "hosts")
    let refused = try Program.run(executable: "bash", ["-c", script], workingDirectory: folder.path)
    #expect(refused.status == 64)
    #expect(
      refused.standardError.hasSuffix("hostfile hosts, line 2: 'sluts=2' after the host node2: expected slots=RANKS\n"))
  }

  /// In bash, arithmetic on a word runs what the word says.
  @Test(.enabled(if: getuid() == 0 && access("/usr/sbin/ip", X_OK) == 0))
  func `what launch-hosts wrote down is read as a number and a rate, or not at all`()
    throws
  {
    let prefix = "t\(getpid())"
    let state = "/run/icp-hosts/\(prefix)"
    try FileManager.default.createDirectory(atPath: state, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: state) }
    let folder = try TemporaryDirectory()
    for text in ["a[$(touch \(folder.path)/ran)]", "08", "", "2 2"] {
      for name in ["count", "rate"] {
        try (text + "\n").write(toFile: "\(state)/\(name)", atomically: true, encoding: .utf8)
      }
      for arguments in [["list"], ["cut", "1"], ["mend", "1"], ["slow", "1", "1mbit"]] {
        _ = try Program.run(
          executable: PackageRoot.path + "/launch/hosts", arguments, environment: ["ICP_HOSTS_PREFIX": prefix])
      }
    }
    #expect(!FileManager.default.fileExists(atPath: folder.path("ran")))
    let eight = try Program.run(
      executable: PackageRoot.path + "/launch/hosts", ["up", "08"], environment: ["ICP_HOSTS_PREFIX": prefix])
    #expect(eight.status == 64 && eight.standardError.contains("expected 2 to 64 hosts"))
  }

  @Test func `the end of a child is heard whatever becomes of the folder for temporary files`() throws {
    let script = """
      source '\(PackageRoot.path)/launch/common.sh'
      export TMPDIR=/none/here
      trap 'asked=yes' USR1
      background bash -c 'sleep 0.2; kill -USR1 $0; exit 37' $$
      await
      echo "$? $asked"
      """
    let outcome = try Program.run(executable: "bash", ["-c", script], timeLimit: 20)
    #expect(outcome.standardOutput == "37 yes\n", "\(outcome.standardError)")
  }

  /// PRRTE says 0 also where it has lost a host, or its daemon there.
  @Test(arguments: [(0, true, 0), (0, false, 205), (70, false, 70), (137, true, 137)])
  func `mpirun's 0 is believed where rank 0 has come to the end`(said: Int, isThere: Bool, comes: Int) throws {
    let folder = try TemporaryDirectory()
    let script = """
      source '\(PackageRoot.path)/launch/common.sh'; source "$root/launch/mpi.sh"; find_mpi
      want_end_mark .
      \(isThere ? "touch \"$ICP_END_MARK\"" : "")
      proved \(said)
      echo "$? $(ls -A)"
      """
    let outcome = try Program.run(executable: "bash", ["-c", script], workingDirectory: folder.path)
    #expect(outcome.standardOutput == "\(comes) \n")
  }

  /// Open MPI 5.0.7 names its folders after the host; 5.0.11 does not, but names a file in them so.
  @Test func `of what killed launchers left, what may be another host's or a living process's stays`() throws {
    let folder = try TemporaryDirectory()
    let script = #"""
      source "$1/launch/common.sh"; source "$root/launch/mpi.sh"; find_mpi
      host=$(hostname) gone=4194305 # more than any process's number
      export TMPDIR=$PWD
      mkdir -p "ompi.$host.$EUID/pid."{$gone,$$} "prterun.$host."{$gone,$$}".$EUID" "prterun.elsewhere.$gone.$EUID"
      mkdir -p {ompi,prted}.$gone/"pmix.$host.tool" "ompi.$$/pmix.$host.tool" prted.1$gone/pmix.elsewhere.tool ompi.1$gone
      find . -exec touch -d '2 minutes ago' {} +
      remove_leftovers
      find . -mindepth 1 -type d -empty | sed "s/$host/HOST/; s/$$/LIVES/; s/\.$EUID\b/.USER/; s/$gone/GONE/" | LC_ALL=C sort
      """#
    let outcome = try Program.run(
      executable: "bash", ["-c", script, "bash", PackageRoot.path], workingDirectory: folder.path)
    #expect(
      outcome.standardOutput.split(separator: "\n") == [
        "./ompi.1GONE", "./ompi.HOST.USER/pid.LIVES", "./ompi.LIVES/pmix.HOST.tool",
        "./prted.1GONE/pmix.elsewhere.tool", "./prterun.HOST.LIVES.USER", "./prterun.elsewhere.GONE.USER",
      ], "\(outcome.standardError)")
  }

  @Test func `a start is followed by another unless it would only come to the same end`() throws {
    let script = """
      source '\(PackageRoot.path)/launch/common.sh'
      for ((status = 0; status < 256; status++)); do can_be_cured $status || echo $status; done
      """
    let outcome = try Program.run(executable: "bash", ["-c", script])
    #expect(
      outcome.standardOutput.split(separator: "\n").compactMap { Int($0) }
        == [0, 64, 65, 74, 77, 126, 127, 129, 130, 141, 213])
  }

  /// Seen by mpirun itself: that of Open MPI 5 keeps what is meant for it from the ranks.
  @Test func `both versions of Open MPI are told the same, and what the user has set stays`() throws {
    let tree = try LaunchTree(programs: [
      "mpirun": #"""
      [[ $1 != --version ]] || { echo 'mpirun (Open MPI) 5.0.7'; exit; }
      env | grep -E '^(OMPI|PRTE)_MCA_' >"$HOME/variables"
      """#
    ])
    let outcome = try tree.run(
      "train", ["-n", "1"],
      environment: ["OMPI_MCA_hwloc_base_binding_policy": "socket", "PRTE_MCA_prte_if_include": "10.0.0.0/8"])
    #expect(outcome.status == 0, "\(outcome.standardError)")
    let variables = tree.lines(of: "variables")
    for setting in [
      "OMPI_MCA_hwloc_base_binding_policy=socket", "PRTE_MCA_hwloc_default_binding_policy=socket",
      "OMPI_MCA_oob_tcp_if_include=10.0.0.0/8", "PRTE_MCA_oob_tcp_keepalive_time=3",
      "OMPI_MCA_oob_tcp_keepalive_time=3", "OMPI_MCA_smsc=^cma", "OMPI_MCA_btl_vader_single_copy_mechanism=none",
    ] { #expect(variables.contains(setting), "\(setting) is not among \(variables)") }
  }

  /// What mpirun says of a rank that has said why it ends is left out; all else passes.
  @Test func `mpirun does not repeat a line of ours`() throws {
    let dashes = String(repeating: "-", count: 74)
    let known = [
      "Primary job  terminated normally, but 1 process returned\na non-zero exit code.",
      "mpirun detected that one or more processes exited with non-zero status, thus causing\n\n  Exit code:    65",
      "MPI_ABORT was invoked on rank 0 in communicator MPI_COMM_WORLD\nwith errorcode 70.",
    ].map { "\(dashes)\n\($0)\n\(dashes)\n" }
    let other = "\(dashes)\nmpirun noticed that process rank 1 exited on signal 9 (Killed).\n\(dashes)\n"
    let folder = try TemporaryDirectory()
    try folder.write(
      "a\n" + known[0] + other + "\u{0}icp: why\n" + known.joined() + other + known[1] + "b\u{0}\nno end", to: "in")
    let script =
      "source '\(PackageRoot.path)/launch/common.sh'; source \"$root/launch/mpi.sh\"; source \"$root/launch/restarts.sh\"; "
      + "find_mpi; without_repetition <in"
    let outcome = try Program.run(executable: "bash", ["-c", script], workingDirectory: folder.path)
    #expect(outcome.standardOutput == "a\n" + known[0] + other + "icp: why\n" + other + "b\u{0}\nno end")
  }
}
