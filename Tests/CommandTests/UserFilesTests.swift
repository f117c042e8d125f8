import Foundation
import TestSupport
import Testing

/// No file of a user's is lost: folders that are not ours, links, pipes, and what was given.
@Suite(.serialized, .timeLimit(.minutes(3))) struct UserFilesTests {
  private static let few = ["training.max_steps=2"]

  private func text(_ tiny: TinyRun, _ name: String) throws -> String {
    try String(contentsOfFile: tiny.path(name), encoding: .utf8)
  }

  // MARK: Run directories

  @Test(.long, arguments: ["config.yaml", "metrics.jsonl", "labels.csv", "checkpoints/mine.bin", ".lock"])
  func `a folder in which others have our names is refused, and stays as it is`(name: String) throws {
    let tiny = try TinyRun()
    try tiny.folder.write("# mine\n", to: "run/\(name)")
    try tiny.folder.write("mine", to: "run/notes.tmp.77")
    for resume in [nil, "auto", "never"] {
      try tiny.train(Self.few, resume: resume).expect(64, "is not a run directory of this program", "--run-dir")
    }
    try tiny.train(dryRun: true).expect(64, "is not a run directory")
    #expect(try text(tiny, "run/\(name)") == "# mine\n")
    #expect(try text(tiny, "run/notes.tmp.77") == "mine")
    #expect(try FileManager.default.contentsOfDirectory(atPath: tiny.path("run")).count == 2)
  }

  @Test func `a folder with a log in it is taken, and the log and foreign files stay`() throws {
    let tiny = try TinyRun()
    let mine = ["run/train.log", "run/notes.tmp.77", "run/checkpoints/best.safetensors.backup"]
    try tiny.folder.write("mine", to: mine[0])
    try tiny.train(Self.few).expect(0)
    for name in mine { try tiny.folder.write("mine", to: name) }
    // Ours by its record alone, as in a copy without hidden files.
    unlink(tiny.path("run/.lock"))
    try tiny.train(Self.few, resume: "never").expect(0)
    for name in mine { #expect(try text(tiny, name) == "mine") }
  }

  @Test func `the configuration that was given is never written over`() throws {
    let tiny = try TinyRun()
    try tiny.train(Self.few).expect(0)
    // As the run wrote it, it may be given again.
    try tiny.command(["train", "run/config.yaml", "--run-dir", "run", "--resume", "auto"], ["training.max_steps=3"])
      .expect(0)
    #expect(try text(tiny, "run/config.yaml").contains("max_steps: 3"))
    let noted = try text(tiny, "run/config.yaml") + "# mine\n"
    try tiny.folder.write(noted, to: "run/config.yaml")
    for given in ["run/config.yaml", "./run/../run/config.yaml"] {
      try tiny.command(["train", given, "--run-dir", "run", "--resume", "auto"])
        .expect(64, "run/config.yaml: is the configuration that was given")
    }
    #expect(try text(tiny, "run/config.yaml") == noted)
  }

  @Test func `words of a user's in a run's configuration are set aside, whatever is given`() throws {
    let tiny = try TinyRun()
    try tiny.train(Self.few).expect(0)
    let noted = try text(tiny, "run/config.yaml") + "# mine\n"
    try tiny.folder.write(noted, to: "run/config.yaml")
    try tiny.folder.write("base: run/config.yaml\n", to: "over.yaml")
    try tiny.command(["train", "over.yaml", "--run-dir", "run", "--resume", "auto"], ["training.max_steps=3"])
      .expect(0, "run/config.yaml held more than a run writes: that is run/config.yaml.superseded now")
    #expect(try text(tiny, "run/config.yaml.superseded") == noted)
    #expect(try text(tiny, "run/config.yaml").contains("max_steps: 3"))
    try tiny.folder.write("not even YAML: [", to: "run/config.yaml")
    try tiny.train(Self.few, resume: "never").expect(0, "that is run/config.yaml.superseded-2 now")
    #expect(try text(tiny, "run/config.yaml.superseded-2") == "not even YAML: [")
    // What a run wrote is replaced without a word.
    #expect(try tiny.train(["training.max_steps=4"], resume: "auto").standardError.isEmpty)
    #expect(!FileManager.default.fileExists(atPath: tiny.path("run/config.yaml.superseded-3")))
  }

  @Test func `words of a user's in a run's labels are set aside where labels are written, and stay where none are`()
    throws
  {
    let tiny = try TinyRun()
    let noise = Self.few + ["data.label_noise.kind=symmetric", "data.label_noise.rate=0.5"]
    try tiny.train(noise).expect(0)
    let written = try text(tiny, "run/labels.csv")
    let noted = written + "3,5,6,looked at\n"
    try tiny.folder.write(noted, to: "run/labels.csv")
    try tiny.train(noise, resume: "never")
      .expect(0, "run/labels.csv held more than a run writes: that is run/labels.csv.superseded now")
    #expect(try text(tiny, "run/labels.csv.superseded") == noted)
    #expect(try text(tiny, "run/labels.csv") == written)
    try tiny.folder.write(noted, to: "run/labels.csv")
    #expect(try tiny.train(Self.few, resume: "never").standardError.isEmpty)
    #expect(try text(tiny, "run/labels.csv") == noted)
    #expect(!FileManager.default.fileExists(atPath: tiny.path("run/labels.csv.superseded-2")))
  }

  @Test func `a place without a name is 64`() throws {
    let tiny = try TinyRun()
    try tiny.train(Self.few).expect(0)
    try tiny.folder.write(Self.study, to: "study.yaml")
    for (command, option) in [
      (["train", "tiny.yaml"], "--run-dir"), (["sweep", "study.yaml"], "--directory"), (["report", "run"], "--output"),
      (["export", "run"], "--onnx"), (["doctor"], "--run-dir"),
    ] {
      try tiny.command(command + [option, ""]).expect(64, "\(option): is empty; name a place with it")
    }
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: tiny.folder.path).sorted() == [
        "run", "study.yaml", "tiny.yaml",
      ])
  }

  @Test(arguments: ["~/run", "$HOME/run"])
  func `a path that only a shell understands makes no folder`(path: String) throws {
    let tiny = try TinyRun()
    for arguments in [["train", "tiny.yaml", "--run-dir", path], ["doctor", "--run-dir", path]] {
      try tiny.command(arguments).expect(64, "\(path): '\(path.first!)' is replaced by shells, not here; write /")
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: tiny.folder.path) == ["tiny.yaml"])
    try tiny.train(Self.few, into: "./\(path)").expect(0)
  }

  @Test func `a report that nobody named goes through no link`() throws {
    let tiny = try TinyRun()
    try tiny.train(Self.few).expect(0)
    try tiny.folder.write("<!DOCTYPE html>mine", to: "mine.html")
    symlink("../mine.html", tiny.path("run/report.html"))
    try tiny.command(["report", "run"]).expect(64, "run/report.html: is a symbolic link, where the command has")
    #expect(try text(tiny, "mine.html") == "<!DOCTYPE html>mine")
    try tiny.command(["report", "run", "--output", "run/report.html"]).expect(0)
    #expect(try text(tiny, "mine.html") != "<!DOCTYPE html>mine")
  }

  @Test func `a page in a run that is not ours is not replaced, and one of ours is`() throws {
    let tiny = try TinyRun()
    try tiny.train(Self.few).expect(0)
    try tiny.folder.write("<!DOCTYPE html>mine", to: "run/report.html")
    try tiny.command(["report", "run"])
      .expect(64, "run/report.html: is an HTML page of somebody else's, and is not replaced; name another file")
    #expect(try text(tiny, "run/report.html") == "<!DOCTYPE html>mine")
    unlink(tiny.path("run/report.html"))
    for _ in 1...2 { try tiny.command(["report", "run"]).expect(0) }
  }

  @Test func `a sheet of pictures is not written over data`() throws {
    let tiny = try TinyRun("data: {path: set, size: 8}\nmodel: {kind: mlp, hidden: [8]}\n")
    let same = SameImages()
    try FileManager.default.copyItem(atPath: same.folders().path, toPath: tiny.path("set"))
    let picture = "set/train/class0/100.png"
    let before = try Data(contentsOf: URL(fileURLWithPath: tiny.path(picture)))
    for place in [picture, "set/sheet.png"] {
      try tiny.command(["data", "tiny.yaml", "--pictures", place])
        .expect(64, "\(place): lies in data.path, whose files are read")
    }
    #expect(try Data(contentsOf: URL(fileURLWithPath: tiny.path(picture))) == before)
    try tiny.command(["data", "tiny.yaml", "--pictures", "sheet.png"]).expect(0)
  }

  @Test func `links and pipes in a run directory are not followed`() throws {
    let tiny = try TinyRun()
    try tiny.train(Self.few, into: "other").expect(0)
    let before = try tiny.checkpoints(of: "other")
    try tiny.folder.write("{\"mine\":1}\n", to: "mine.jsonl")
    for name in ["metrics.jsonl", "labels.csv", "config.yaml", "checkpoints", ".lock"] {
      for kind in ["a symbolic link", "a FIFO"] {
        try FileManager.default.createDirectory(atPath: tiny.path("run"), withIntermediateDirectories: true)
        if kind == "a FIFO" {
          mkfifo(tiny.path("run/\(name)"), 0o600)
        } else {
          symlink(name == "checkpoints" ? "../other/checkpoints" : "../mine.jsonl", tiny.path("run/\(name)"))
        }
        let outcome = try tiny.train(Self.few, resume: "never")
        outcome.expect(64, "run/\(name): is \(kind), where a run directory has")
        #expect(outcome.seconds < 20)
        try FileManager.default.removeItem(atPath: tiny.path("run"))
      }
    }
    #expect(try text(tiny, "mine.jsonl") == "{\"mine\":1}\n")
    #expect(try tiny.checkpoints(of: "other") == before)
    // The directory itself may be named by a link.
    symlink("other", tiny.path("link"))
    try tiny.train(Self.few, into: "link", resume: "auto").expect(0)
  }

  @Test func `records are not appended to a second name of the file`() throws {
    let tiny = try TinyRun()
    try tiny.train(Self.few).expect(0)
    link(tiny.path("run/metrics.jsonl"), tiny.path("kept.jsonl"))
    let before = try text(tiny, "kept.jsonl")
    try tiny.train(["training.max_steps=4"], resume: "auto").expect(0)
    #expect(try text(tiny, "kept.jsonl") == before)
    #expect(try tiny.records().filter { $0.kind == "step" }.count == 4)
  }

  // MARK: Two starts at once

  private func twice(_ tiny: TinyRun, _ arguments: String) throws -> Program.Outcome {
    try Program.run(
      executable: "bash",
      [
        "-c",
        "(\"$0\" train tiny.yaml \(arguments); echo \"status $?\") & (\"$0\" train tiny.yaml \(arguments); echo \"status $?\"); wait",
        Program.icp,
      ], environment: ["OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"], timeLimit: 60,
      workingDirectory: tiny.folder.path)
  }

  @Test func `two runs that are started at once have a directory each`() throws {
    let tiny = try TinyRun()
    let outcome = try twice(tiny, "--set training.max_steps=2")
    #expect(outcome.standardOutput.split(separator: "\n").filter { $0 == "status 0" }.count == 2)
    #expect(try FileManager.default.contentsOfDirectory(atPath: tiny.path("runs")).count == 2)
  }

  @Test func `of two starts of one run the second goes on, and starts nothing over`() throws {
    let tiny = try TinyRun()
    try tiny.train(into: "single").expect(0)
    let outcome = try twice(tiny, "--run-dir run --resume auto")
    #expect(outcome.standardOutput.split(separator: "\n").filter { $0 == "status 0" }.count == 2)
    #expect(outcome.standardOutput.split(separator: "\n").filter { $0.hasPrefix("going on from") }.count == 1)
    #expect(try tiny.tensors(20) == tiny.tensors(20, of: "single"))
    let unsaid = try TinyRun()
    let refused = try twice(unsaid, "--run-dir run")
    #expect(refused.standardError.contains("run holds checkpoints: --resume auto goes on"))
    #expect(refused.standardOutput.contains("status 0") && refused.standardOutput.contains("status 64"))
  }

  // MARK: Studies

  private static let study = """
    base: tiny.yaml
    seeds: [1]
    variants: {plain: {icp.rule: none, training.max_steps: 2}}
    """

  @Test(arguments: [
    "results.md", "sweep.yaml", "study.json", "plots/mine.svg", "plain/mine.txt", "plain/seed-1/config.yaml",
  ])
  func `a study is not written into a folder that has its names and is none`(name: String) throws {
    let tiny = try TinyRun()
    try tiny.folder.write(Self.study, to: "study.yaml")
    try tiny.folder.write("mine", to: "out/\(name)")
    for more in [[], ["--dry-run"], ["--redo"]] {
      try tiny.command(["sweep", "study.yaml", "--directory", "out"] + more).expect(
        64, "of this program", "--directory")
    }
    #expect(try text(tiny, "out/\(name)") == "mine")
    #expect(try FileManager.default.subpathsOfDirectory(atPath: tiny.path("out")).filter { !name.hasPrefix($0) } == [])
  }

  @Test func `redo removes what runs wrote and nothing else, and tables go where tables are`() throws {
    let tiny = try TinyRun()
    try tiny.folder.write(Self.study, to: "study.yaml")
    try tiny.command(["sweep", "study.yaml", "--directory", "out"]).expect(0)
    try tiny.folder.write("mine", to: "out/plain/seed-1/notes.txt")
    try tiny.folder.write("mine", to: "out/plain/seed-1/checkpoints/notes.txt")
    try tiny.folder.write(Self.study.replacing("max_steps: 2", with: "max_steps: 3"), to: "study.yaml")
    try tiny.command(["sweep", "study.yaml", "--directory", "out", "--redo"]).expect(0)
    #expect(try text(tiny, "out/plain/seed-1/notes.txt") == "mine")
    #expect(try text(tiny, "out/plain/seed-1/checkpoints/notes.txt") == "mine")
    #expect(try text(tiny, "out/plain/seed-1/config.yaml").contains("max_steps: 3"))
    try tiny.folder.write("mine", to: "tables/results.csv")
    try tiny.command(["compare", "out", "--directory", "tables"]).expect(64, "tables: holds results.csv")
    #expect(try text(tiny, "tables/results.csv") == "mine")
    for _ in 1...2 { try tiny.command(["compare", "out", "--directory", "new"]).expect(0) }
    // A link below a name of ours is not followed, nor replaced.
    let plot = "new/plots/test_accuracy-by-epoch.svg"
    unlink(tiny.path(plot))
    symlink("../../study.yaml", tiny.path(plot))
    try tiny.command(["compare", "out", "--directory", "new"]).expect(64, "\(plot): is a symbolic link")
    #expect(try text(tiny, "study.yaml").contains("max_steps: 3"))
  }

  @Test func `compare follows no links below what it is given, and waits for no pipe`() throws {
    let tiny = try TinyRun()
    try tiny.train(into: "runs/one").expect(0)
    try FileManager.default.createDirectory(atPath: tiny.path("runs/a"), withIntermediateDirectories: true)
    for name in ["b", "c"] { symlink("..", tiny.path("runs/a/\(name)")) }
    symlink("runs", tiny.path("link"))
    try FileManager.default.createDirectory(atPath: tiny.path("runs/d"), withIntermediateDirectories: true)
    for name in ["result.json", "config.yaml", "metrics.jsonl"] { mkfifo(tiny.path("runs/d/\(name)"), 0o600) }
    for name in ["runs", "link"] {
      let outcome = try tiny.command(["compare", name, "--json"])
      outcome.expect(0)
      #expect(outcome.seconds < 20)
    }
    try tiny.command(["compare", "runs/a"]).expect(64, "no run here", "links below it are not followed")
  }

  // MARK: Output

  @Test(
    .long,
    arguments: [
      ["train", "tiny.yaml", "--dry-run"], ["doctor", "--json"], ["doctor"], ["--help"], ["--version"],
      ["compare", "run"],
      ["compare", "run", "--json"], ["inspect", "run/checkpoints/step-0000020.safetensors"],
      ["evaluate", "tiny.yaml", "--weights", "run/checkpoints/step-0000020.safetensors", "--json"],
      ["robustness", "tiny.yaml", "--weights", "run/checkpoints/step-0000020.safetensors", "--only", "attacks"],
      ["bench", "allreduce", "--max-bytes", "1024", "--repeats", "1", "--json"], ["sweep", "study.yaml", "--dry-run"],
    ])
  func `what cannot be printed is 74, and a reader that goes away is no error`(command: [String]) throws {
    let tiny = try TinyRun()
    try tiny.folder.write(Self.study, to: "study.yaml")
    if command.contains(where: { $0.hasPrefix("run") }) { try tiny.train().expect(0) }
    for (place, status) in [(">/dev/full", Int32(74)), ("| :", 0)] {
      let outcome = try Program.run(
        executable: "bash", ["-c", "set -o pipefail; \"$0\" \"$@\" \(place)", Program.icp] + command,
        environment: ["OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"], timeLimit: 60,
        workingDirectory: tiny.folder.path)
      outcome.expect(status)
      #expect(status == 0 || outcome.messages.first?.hasPrefix("icp: standard output: write: No space left") == true)
    }
  }

  /// Else the first file that is opened takes the descriptor's place, and what is printed goes there.
  @Test func `what is printed to a closed descriptor goes nowhere`() throws {
    let tiny = try TinyRun()
    func run(_ closed: String, _ arguments: [String]) throws -> Program.Outcome {
      try Program.run(
        executable: "bash", ["-c", "\"$0\" \"$@\" \(closed)", Program.icp] + arguments,
        environment: ["OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"], timeLimit: 60,
        workingDirectory: tiny.folder.path)
    }
    try run(">&- 2>&- <&-", ["train", "tiny.yaml", "--run-dir", "run", "--set", "logging.tensorboard=true"]).expect(0)
    try tiny.train(["logging.tensorboard=true"], into: "open").expect(0)
    #expect(try tiny.records().map(\.timeless) == tiny.records(of: "open").map(\.timeless))
    #expect(try tiny.checkpoint(20) == tiny.checkpoint(20, of: "open"))
    for command in [
      ["inspect", "run/checkpoints/step-0000020.safetensors"], ["metrics", "run"], ["evaluate", "run", "--json"],
    ] {
      let outcome = try run(">&-", command)
      outcome.expect(74)
      #expect(outcome.messages.last?.hasPrefix("icp: standard output: write: Bad file descriptor") == true)
    }
  }

  @Test func `commands to try next can be typed, whatever paths are called`() throws {
    let tiny = try TinyRun()
    let run = "a $HOME 'b'; c"
    let outcome = try tiny.train(Self.few, into: run)
    outcome.expect(0)
    for (command, says) in [(" evaluate ", "accuracy: "), (" report ", "icp: wrote \(run)/report.html")] {
      let line = try #require(outcome.standardOutput.split(separator: "\n").first { $0.contains(command) })
      let typed = try Program.run(
        executable: "bash", ["-c", String(line)], environment: ["OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"],
        timeLimit: 60, workingDirectory: tiny.folder.path)
      typed.expect(0)
      #expect((typed.standardOutput + typed.standardError).contains(says))
    }
  }
}
