import Foundation
import TestSupport
import Testing

/// `launch/train` over days: starts again, signals, hosts that are gone. With a stand-in for icp that does as each test
/// plans; what the real one does with these starts and signals is in SupervisedRunTests and ResumeTests.
@Suite(.ranks, .serialized, .timeLimit(.minutes(2))) struct RestartTests {
  /// What every start does: counts itself, and saves a step of its own number where `saves` says so.
  private func plan(saves: String, statuses: String) -> String {
    """
    [[ $OMPI_COMM_WORLD_RANK == 0 ]] || exit 0
    echo "$*" >>"$HOME/starts"
    number=$(wc -l <"$HOME/starts")
    mkdir -p "$HOME/run/checkpoints"
    touch "$HOME/run/config.yaml"
    \(saves) && touch "$HOME/run/checkpoints/$(printf 'step-%07d' "$number").safetensors"
    list=(\(statuses))
    STATUS=${list[number - 1]}
    """
  }

  private func train(_ tree: LaunchTree, _ plan: String, _ options: [String] = []) throws -> Program.Outcome {
    try tree.run(
      "train",
      ["-n", "1", "--max-restarts", "2"] + options + ["--", "--run-dir", tree.folder.path("run"), "--set", "a=1"],
      plan: plan)
  }

  @Test func `a failure is followed by a start that resumes, until the run is done`() throws {
    let tree = try LaunchTree()
    let outcome = try train(tree, plan(saves: "true", statuses: "137 75 70 0"))
    #expect(outcome.status == 0, "\(outcome.standardError)")
    let configuration = tree.folder.path("configs/quickstart.yaml")
    let first = "train \(configuration) --run-dir \(tree.folder.path("run"))"
    #expect(
      tree.lines(of: "starts") == ["\(first) --set a=1"]
        + Array(repeating: "\(first) --resume auto --set a=1", count: 3))
    #expect(outcome.standardOutput.contains("ended with 137 (a rank was killed"))
  }

  @Test func `a study is started again as long as something is saved`() throws {
    let tree = try LaunchTree()
    try tree.folder.write("variants: {plain: {}}", to: "s.yaml")
    let outcome = try tree.run(
      "train", ["--sweep", "s.yaml", "-n", "1", "--max-restarts", "2", "--", "--set", "a=1"],
      plan: """
        echo "$*" >>"$HOME/starts"
        number=$(wc -l <"$HOME/starts")
        mkdir -p "$HOME/studies/s/plain/seed-$number"
        ((number > 2)) || touch "$HOME/studies/s/plain/seed-$number/result.json"
        STATUS=75
        """)
    #expect(outcome.status == 75)
    #expect(tree.lines(of: "starts") == Array(repeating: "sweep s.yaml --set a=1", count: 4))
    #expect(outcome.standardError.contains("2 starts in a row without progress"))
  }

  @Test func `a start that never came to its run leaves --resume as it was`() throws {
    let tree = try LaunchTree()
    let outcome = try tree.run(
      "train", ["-n", "1", "--max-restarts", "2", "--", "--run-dir", tree.folder.path("run"), "--resume", "never"],
      plan: "echo \"$*\" >>\"$HOME/starts\"; STATUS=75")
    #expect(outcome.status == 75)
    #expect(tree.lines(of: "starts").count == 2)
    #expect(tree.lines(of: "starts").allSatisfy { $0.hasSuffix(" --resume never") })
  }

  @Test func `it gives up after starts without progress, and says so`() throws {
    let tree = try LaunchTree()
    let outcome = try train(tree, plan(saves: "((number == 1))", statuses: "75 75 75 75"))
    #expect(outcome.status == 75)
    #expect(tree.lines(of: "starts").count == 3)
    #expect(
      outcome.standardError.contains(
        "launch/train: ended with 75, 2 starts in a row without progress (newest checkpoint: step 1): giving up"))
  }

  /// The last three: a terminal, a user or a reader ended it.
  @Test(arguments: [64, 65, 74, 77, 129, 130, 141])
  func `what would only repeat is not tried again`(status: Int) throws {
    let tree = try LaunchTree()
    #expect(try train(tree, plan(saves: "true", statuses: "\(status) 0")).status == Int32(status))
    #expect(tree.lines(of: "starts").count == 1)
  }

  @Test func `without a run directory, one is chosen for all starts`() throws {
    let tree = try LaunchTree()
    let outcome = try tree.run(
      "train", ["-n", "1", "--max-restarts", "2"], plan: plan(saves: "true", statuses: "75 75"))
    #expect(outcome.status == 75)
    let directories = Set(tree.lines(of: "starts").map { $0.split(separator: " ")[3] })
    #expect(tree.lines(of: "starts").count == 2)
    #expect(directories.count == 1 && directories.first!.hasPrefix("runs/quickstart-"))
  }

  /// The script is behind mpirun, and the shell that waits for mpirun.
  private let parentOf = "parent() { awk '/^PPid/ { print $2 }' /proc/$1/status; }"

  @Test(arguments: [("INT", 85), ("TERM", 75), ("USR1", 70), ("HUP", 85)])
  func `a signal becomes a request to save, once, and no restart follows`(signal: String, status: Int) throws {
    let tree = try LaunchTree()
    let outcome = try train(
      tree,
      """
      echo "$*" >>"$HOME/starts"
      \(parentOf)
      trap 'echo asked >>"$HOME/requests"; asked=yes' USR1
      kill -\(signal) "$(parent "$(parent $PPID)")"
      for ((i = 0; i < 500; i++)); do [[ -z ${asked-} ]] || break; sleep 0.01; done
      sleep 0.3
      STATUS=\(status)
      """)
    #expect(outcome.status == status, "\(outcome.standardError)")
    #expect(tree.lines(of: "starts").count == 1)
    #expect(tree.lines(of: "requests") == ["asked"])
  }

  @Test func `a terminal that closes, and says so twice, does not end the run at once`() throws {
    let tree = try LaunchTree()
    let outcome = try train(
      tree,
      """
      \(parentOf)
      trap 'echo asked >>"$HOME/requests"; asked=yes' USR1
      script=$(parent "$(parent $PPID)")
      kill -HUP "$script"; sleep 0.2; kill -HUP "$script"
      for ((i = 0; i < 500; i++)); do [[ -z ${asked-} ]] || break; sleep 0.01; done
      sleep 0.3
      STATUS=85
      """)
    #expect(outcome.status == 85, "\(outcome.standardError)")
    #expect(tree.lines(of: "requests") == ["asked"])
    #expect(!outcome.standardOutput.contains("ending at once"))
  }

  @Test func `a second interrupt ends a run that does not hear`() throws {
    let tree = try LaunchTree()
    let outcome = try train(
      tree,
      """
      \(parentOf)
      trap '' USR1 TERM
      parent=$(parent "$(parent $PPID)")
      kill -INT "$parent"; sleep 0.3; kill -INT "$parent"
      sleep 100
      """)
    #expect(outcome.status != 0 && !outcome.timedOut)
    #expect(outcome.seconds < 30)
    #expect(outcome.standardOutput.contains("ending at once"))
  }

  /// A remote shell that reaches `there` as this machine, and no other host.
  private let remoteShell = #"[[ $1 == there ]] || exit 255; shift; exec bash -c "$*""#

  @Test func `a host that is gone is named, and left out where that is wanted`() throws {
    let tree = try LaunchTree(programs: ["remote": remoteShell])
    let environment = ["OMPI_MCA_plm_rsh_agent": tree.folder.path("programs/remote")]
    let here = ProcessInfo.processInfo.hostName
    let hosts = ["--hosts", "\(here):2,gone:2"]
    let refused = try tree.run("train", hosts, environment: environment)
    #expect(refused.status == 75)
    #expect(refused.standardError == "launch/train: no answer from gone; --elastic goes on without\n")
    let outcome = try tree.run("train", hosts + ["--elastic"], environment: environment)
    #expect(outcome.status == 0, "\(outcome.standardError)")
    #expect(outcome.standardOutput.contains("no answer from gone: going on with \(here):2"))
    #expect(outcome.standardOutput.contains("rank 1 of 2, threads 1"))
  }

  /// The launcher of Open MPI 5 says 0 where it has lost a host.
  @Test func `a 0 of mpirun's that rank 0 does not confirm is a lost host, and is followed by a start`() throws {
    let tree = try LaunchTree(programs: [
      "remote": remoteShell,
      "mpirun": #"""
      [[ $1 != --version ]] || { echo 'mpirun (Open MPI) 5.0.7'; exit; }
      echo "hosts: $ICP_HOSTS" >>"$HOME/starts"
      (($(wc -l <"$HOME/starts") < 2)) || touch "$ICP_END_MARK"
      """#,
    ])
    let outcome = try tree.run(
      "train",
      ["--hosts", "\(ProcessInfo.processInfo.hostName):2,there:2", "--max-restarts", "2", "--", "--run-dir", "run"],
      environment: ["OMPI_MCA_plm_rsh_agent": tree.folder.path("programs/remote")])
    #expect(outcome.status == 0, "\(outcome.standardError)")
    #expect(tree.lines(of: "starts") == ["hosts: 2", "hosts: 2"])
    #expect(outcome.standardError.contains("rank 0 did not come to the end of the run: a host was lost"))
    #expect(outcome.standardOutput.contains("ended with 205 (a host was lost)"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: tree.folder.path("run")).isEmpty)
  }

  @Test(arguments: [
    (["--hosts", "a:x"], "host 'a' with 'x' ranks"), (["--hostfile", "none"], "cannot read the hostfile none"),
    (["--max-restarts", "many"], "--max-restarts many: expected a whole number"),
    (["--hosts", ""], "--hosts '' names no host"), (["--hosts", "a:3[$(touch ran)]"], "host 'a' with"),
  ])
  func `options that cannot be meant are 64`(arguments: [String], says: String) throws {
    let outcome = try LaunchTree().run("train", arguments)
    #expect(outcome.status == 64)
    #expect(outcome.standardError.contains(says))
  }
}
