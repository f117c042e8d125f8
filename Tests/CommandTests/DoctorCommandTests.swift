import Foundation
import TestSupport
import Testing

/// `icp doctor`, and what of it shows at a run's start.
@Suite(.serialized, .timeLimit(.minutes(2))) struct DoctorCommandTests {
  @Test(.ranks, arguments: [nil, 2])
  func `a look at a healthy launch ends with 0 and leaves nothing`(ranks: Int?) throws {
    let tiny = try TinyRun()
    let outcome = try tiny.command(["doctor", "tiny.yaml", "--run-dir", "deep/run"], ranks: ranks)
    outcome.expect(0)
    let lines = outcome.standardOutput.split(separator: "\n")
    for subject in [
      "MPI: Open MPI v", "launch: ", "cores: ", "network: one host", "memory: ", "configuration: 5 shards on ",
    ] {
      #expect(lines.contains { $0.contains(subject) }, "\(subject)")
    }
    #expect(lines.contains { $0.contains("run directory: deep/run has") && $0.contains("MiB/s") })
    #expect(lines.last?.hasSuffix("no error") == true)
    // One rank prints, and every line but the last begins with a level.
    #expect(lines.filter { $0.contains(" MPI: ") }.count == 1)
    #expect(lines.dropLast().allSatisfy { $0.prefixMatch(of: /(ok|note|warning) +[A-Za-z ]+: ./) != nil })
    #expect(try FileManager.default.contentsOfDirectory(atPath: tiny.folder.path) == ["tiny.yaml"])
  }

  @Test(.ranks) func `what is wrong decides the status, and is told once`() throws {
    let tiny = try TinyRun()
    let shards = try tiny.command(["doctor", "tiny.yaml"], ["training.shards=1"], ranks: 2)
    shards.expect(64, "icp: configuration: 2 ranks, but training.shards is 1")
    #expect(shards.messages.count == 1)
    #expect(shards.standardOutput.contains("\nerror    configuration: 2 ranks"))
    try tiny.command(["doctor", "tiny.yaml"], ["data.format=cifar10", "data.path=nowhere"]).expect(65, "nowhere")
    try tiny.command(["doctor", "other.yaml"]).expect(64, "other.yaml")
    // Also for root, whom permissions do not stop.
    let directory = try tiny.command(["doctor", "--run-dir", "tiny.yaml/run"])
    directory.expect(74, "icp: run directory: tiny.yaml: mkdir: File exists")
  }

  @Test(.ranks) func `classes without training images are warned of once, by doctor, by a dry run and at a start`()
    throws
  {
    let tiny = try TinyRun()
    let says = "no training images of 3 of 10 classes: 7 to 9"
    let settings = ["data.limit=7", "training.max_steps=1", "training.batch_size=7"]
    #expect(
      try tiny.command(["doctor", "tiny.yaml"], settings).standardOutput.contains("\nwarning  data: \(says); see"))
    #expect(try tiny.train(settings, dryRun: true).standardOutput.contains("\nWARNING: \(says)\n"))
    let run = try tiny.train(settings, ranks: 2)
    #expect(run.messages.filter { $0.contains("no training images") }.count == 1, "\(run.standardError)")
    let split = try tiny.train(["data.validation=10"], dryRun: true).standardOutput
    #expect(split.contains("\nvalidation: 10 images held out, stratified\n") && !split.contains("WARNING: no training"))
  }

  @Test func `it takes the arguments of icp train, in whose place it may stand`() throws {
    let tiny = try TinyRun()
    let arguments = ["doctor", "tiny.yaml", "--run-dir", "run", "--resume", "auto", "--dry-run", "--trace", "1-2"]
    let outcome = try tiny.command(arguments + ["--set", "training.epochs=2", "icp.steps=1"])
    outcome.expect(0)
    #expect(outcome.standardOutput.contains("configuration: 5 shards on "))
  }

  @Test func `a TMPDIR that is set to nothing is none`() throws {
    let outcome = try TinyRun().command(["doctor"], environment: ["TMPDIR": ""])
    outcome.expect(0)
    #expect(!outcome.standardOutput.contains("the folder of TMPDIR is missing"))
  }

  @Test func `the weights to start from are read`() throws {
    let tiny = try TinyRun("data: {format: glyphs, limit: 70, test_limit: 20}\nmodel: {kind: resnet8}\n")
    try tiny.train(["training.max_steps=1", "training.epochs=1"]).expect(0)
    let file = try FileManager.default.contentsOfDirectory(atPath: tiny.path("run/checkpoints")).sorted().last!
    let weights = "model.weights=run/checkpoints/\(file)"
    try tiny.command(["doctor", "tiny.yaml"], [weights]).expect(0)
    try tiny.command(["doctor", "tiny.yaml"], ["model.weights=absent"]).expect(65, "absent: open: No such file")
    try tiny.command(["doctor", "tiny.yaml"], [weights, "model.kind=mlp"]).expect(65, "there is no fc1.weight")
  }

  @Test func `processes that are each alone are an error of the launch`() throws {
    let tiny = try TinyRun()
    for (name, says) in [
      ("OMPI_COMM_WORLD_SIZE", "2 processes were started by mpirun of another Open MPI"),
      ("SLURM_STEP_NUM_TASKS", "add --mpi=pmix to srun"),
    ] {
      let outcome = try tiny.command(["doctor"], environment: [name: "2"])
      outcome.expect(64, says)
      #expect(outcome.standardOutput.hasPrefix("error    launch: 2 processes"))
    }
  }

  @Test func `JSON holds findings and status`() throws {
    let outcome = try TinyRun().command(["doctor", "--json"])
    outcome.expect(0)
    let object = try JSONSerialization.jsonObject(with: Data(outcome.standardOutput.utf8)) as? [String: Any]
    #expect(object?["exit_status"] as? Int == 0)
    let findings = try #require(object?["findings"] as? [[String: Any]])
    #expect(findings.allSatisfy { $0["level"] is String && $0["subject"] is String && $0["text"] is String })
  }

  /// Runs `icp` with a mount of its own, where this user may make one.
  private func inNamespace(_ tiny: TinyRun, mount: String, ranks: Int = 1, _ arguments: [String]) throws -> Program
    .Outcome?
  {
    let probe = try Program.run(executable: "unshare", ["-m", "true"], timeLimit: 20)
    guard probe.status == 0 else { return nil }
    let launch = ["mpirun", "-n", "\(ranks)", "--oversubscribe", "--bind-to", "none", Program.icp] + arguments
    let root = ["OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"]
    return try Program.run(
      executable: "unshare", ["-m", "sh", "-c", "\(mount) && exec \"$@\"", "sh"] + launch,
      environment: TinyRun.anywhere.merging(root) { $1 }, timeLimit: 60, workingDirectory: tiny.folder.path)
  }

  /// Open MPI 5 wants 16 MiB a rank, 4 wants 4.
  @Test(.ranks, arguments: ["1m", "40m"])
  func `a small /dev/shm is a warning, also where Open MPI has given it up in silence`(size: String) throws {
    let tiny = try TinyRun()
    let mount = "mount -t tmpfs -o size=\(size) none /dev/shm"
    guard let outcome = try inNamespace(tiny, mount: mount, ranks: 2, ["doctor"]) else { return }
    outcome.expect(0)
    #expect(outcome.standardOutput.contains("\nwarning  shared memory: "))
    #expect(outcome.standardOutput.contains("--shm-size=1g"))
    #expect(outcome.standardOutput.contains("over TCP") == (size == "1m"))
    // A run says so too, and goes on.
    let run = try #require(
      try inNamespace(
        tiny, mount: mount, ranks: 2,
        ["train", "tiny.yaml", "--run-dir", "run", "--set", "training.max_steps=1"]))
    run.expect(0, "icp: warning: shared memory: ")
  }

  @Test func `a file system that is read-only ends with 74`() throws {
    let tiny = try TinyRun()
    try FileManager.default.createDirectory(atPath: tiny.path("frozen"), withIntermediateDirectories: true)
    let outcome = try inNamespace(
      tiny, mount: "mount -t tmpfs -o ro none frozen", ["doctor", "--run-dir", "frozen/run"])
    outcome?.expect(74, "frozen/run: mkdir: Read-only file system")
  }
}
