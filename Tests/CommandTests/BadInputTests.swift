import Foundation
import TestSupport
import Testing

/// What the world can get wrong: the exit status and the message, in one line.
@Suite(.serialized, .timeLimit(.minutes(2))) struct BadInputTests {
  // MARK: Configuration

  @Test(arguments: [
    ("training: {epochs: 4}\nicp:\n  stepps: 3\n", "bad.yaml:3:3: unknown key 'icp.stepps'; did you mean 'icp.steps'?"),
    ("icp:\n  steps: many\n", "bad.yaml:2:10: key 'icp.steps': expected an integer >= 0, got"),
    ("icp:\n  steps: -1\n", "bad.yaml:2:10: key 'icp.steps': expected an integer >= 0, got -1"),
    ("icp:\n  rule: madam\n", "bad.yaml:2:9: key 'icp.rule'"),
    ("training: {shards: 4, batch_size: 3}\n", "'training.batch_size' is 3, fewer than the 4 of 'training.shards'"),
    ("model: {kind: resnet8\n", "bad.yaml:"),
    ("data: &a {limit: 64}\nmodel: *a\n", "bad.yaml:1:"),
    ("data: {format: cifar10}\n", "'data.path' is missing: 'data.format' cifar10 needs the place of its files"),
    ("distillation: {taps: [layer9]}\n", "there is no tap 'layer9'; this model has: conv1, "),
    ("distillation: {layer_weights: [1, 2]}\n", "expected one weight for each of the 3 taps, got a list of 2"),
  ])
  func `a wrong configuration is 64, and the message says where and what`(text: String, says: String) throws {
    let tiny = try TinyRun()
    try tiny.folder.write(text, to: "bad.yaml")
    let outcome = try tiny.command(["train", "bad.yaml", "--run-dir", "run"], ["data.limit=64", "data.test_limit=10"])
    outcome.expect(64, says)
    #expect(outcome.standardError.split(separator: "\n").count == 1)
    #expect(!FileManager.default.fileExists(atPath: tiny.path("run")))
  }

  @Test(arguments: [
    (["train", "tiny.yaml", "--set", "icp.steps=-1"], "--set icp.steps=-1: key 'icp.steps': expected"),
    (["train", "tiny.yaml", "--set", "icp.steps"], "icp.steps"),
    (["train", "none.yaml"], "none.yaml: cannot be read: No such file or directory"),
    (["train", "."], ".: is a directory; expected a YAML file"),
    (["train"], "Missing expected argument"),
    (["train", "tiny.yaml", "--frobnicate"], "Unknown option '--frobnicate'"),
    (["evaluate", "tiny.yaml"], "--weights"),
    (["frobnicate"], "Unexpected argument 'frobnicate'"),
  ])
  func `a wrong command line is 64`(arguments: [String], says: String) throws {
    try TinyRun().command(arguments).expect(64, says)
  }

  // MARK: Data

  @Test(
    .ranks,
    arguments: [
      (Files.missing, "data: is not a directory that can be read, expected the cifar10 files"),
      (Files.noTraining, "data: holds no data_batch_*.bin and no train.bin"),
      (Files.noTest, "data: holds no test_batch.bin and no test.bin"),
      (
        Files.truncated,
        "data_batch_1.bin: 73742 bytes are not a multiple of cifar10's record of 3073 bytes; record 23 is cut short"
      ),
      (Files.otherRecords, "it is one of 3074 bytes: is this cifar100?"),
      (Files.empty, "data_batch_1.bin: is empty, expected records of 3073 bytes"),
      (Files.label, "data_batch_1.bin: record 7 (byte 21511): label 77, expected 0 to 9 (data.format: cifar10)"),
      (Files.one, "1 training image, expected at least 2"),
    ])
  func `wrong CIFAR files are 65, and the message names file and record`(files: Files, says: String) throws {
    let tiny = try TinyRun()
    try files.write(to: tiny.path("data"))
    let settings = ["data.format=cifar10", "data.path=data", "data.size=8", "data.limit=all", "data.test_limit=all"]
    for ranks in files == .label ? [nil, 2] : [nil] {
      let outcome = try tiny.train(settings, ranks: ranks)
      outcome.expect(65, says)
      if ranks == nil { #expect(outcome.standardError.split(separator: "\n").count == 1) }
    }
    #expect(!FileManager.default.fileExists(atPath: tiny.path("run")))
  }

  /// Sets of CIFAR-10 files, each wrong in one way.
  enum Files: Sendable {
    case missing, noTraining, noTest, truncated, otherRecords, empty, label, one, right

    func write(to folder: String) throws {
      guard self != .missing else { return }
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      var training = Data()
      for index in 0..<24 {
        training.append(self == .label && index == 7 ? 77 : UInt8(index % 10))
        training.append(contentsOf: (0..<3072).map { UInt8(($0 * 7 + index * 31) % 256) })
      }
      let test = training.prefix(3073 * 5)
      switch self {
      case .truncated: training.removeLast(10)
      case .otherRecords: training = Data(count: 3074 * 5)
      case .empty: training = Data()
      case .one: training = training.prefix(3073)
      default: break
      }
      let folder = URL(fileURLWithPath: folder)
      if self != .noTraining { try training.write(to: folder.appendingPathComponent("data_batch_1.bin")) }
      if self != .noTest { try test.write(to: folder.appendingPathComponent("test_batch.bin")) }
    }
  }

  @Test func `good CIFAR files train, and a label at or above model.classes is 65`() throws {
    let tiny = try TinyRun()
    try Files.right.write(to: tiny.path("data"))
    let settings = [
      "data.format=cifar10", "data.path=data", "data.size=8", "data.limit=all", "data.test_limit=all",
      "training.max_steps=2",
    ]
    try tiny.train(settings).expect(0)
    try tiny.train(settings + ["model.classes=12"], into: "more").expect(0)
    try tiny.train(settings + ["model.classes=6"], into: "fewer")
      .expect(65, "data_batch_1.bin: record 6 (byte 18438): label 6, expected 0 to 5 (model.classes: 6)")
  }

  @Test func `too few training images are 65`() throws {
    let tiny = try TinyRun()
    try tiny.train(["data.limit=1"]).expect(65, "glyphs: 1 training image, expected at least 2")
    try tiny.train(["data.limit=0"]).expect(64, "key 'data.limit': expected all or an integer >= 1, got 0")
    for (name, count, bytes) in [("train", 0, 0), ("t10k", 3, 3 * 64)] {
      var images = Data([0, 0, 8, 3, 0, 0, 0, UInt8(count), 0, 0, 0, 8, 0, 0, 0, 8])
      images.append(Data(count: bytes))
      try FileManager.default.createDirectory(atPath: tiny.path("idx"), withIntermediateDirectories: true)
      try images.write(to: URL(fileURLWithPath: tiny.path("idx/\(name)-images-idx3-ubyte")))
      var labels = Data([0, 0, 8, 1, 0, 0, 0, UInt8(count)])
      labels.append(Data(count: count))
      try labels.write(to: URL(fileURLWithPath: tiny.path("idx/\(name)-labels-idx1-ubyte")))
    }
    let settings = ["data.format=idx", "data.path=idx", "data.limit=all", "data.test_limit=all"]
    try tiny.train(settings).expect(65, "idx: 0 training images, expected at least 2")
    try FileManager.default.removeItem(atPath: tiny.path("idx/train-labels-idx1-ubyte"))
    try tiny.train(settings).expect(65, "train-labels-idx1-ubyte: no such file, neither plain nor as .gz")
    try tiny.truncate(tiny.path("idx/t10k-images-idx3-ubyte"), to: 100)
    try Data([0, 0, 8, 1, 0, 0, 0, 0]).write(to: URL(fileURLWithPath: tiny.path("idx/train-labels-idx1-ubyte")))
    try tiny.train(settings).expect(
      65, "t10k-images-idx3-ubyte: 100 bytes, expected 208 from the header's sizes 3 x 8 x 8")
  }

  @Test(arguments: ["a FIFO", "a directory"])
  func `what is no regular file among data files is 65, and nothing waits for it`(kind: String) throws {
    let tiny = try TinyRun()
    try Files.right.write(to: tiny.path("data"))
    let idx = [
      "train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte",
    ]
    for name in ["data_batch_2.bin"] + idx {
      let path = tiny.path("data/\(name)")
      if kind == "a FIFO" { mkfifo(path, 0o600) } else { mkdir(path, 0o700) }
    }
    for (format, name) in [("cifar10", "data_batch_2.bin"), ("idx", idx[0])] {
      try tiny.train(["data.format=\(format)", "data.path=data", "data.limit=all", "data.test_limit=all"])
        .expect(65, "data/\(name): is \(kind), expected a regular file")
    }
  }

  // MARK: Weights and checkpoints

  @Test func `another number of classes is 65, and the message has both`() throws {
    let tiny = try Self.trained.get()
    let weights = tiny.checkpointPath(1)
    try tiny.command(["evaluate", "tiny.yaml", "--weights", weights], ["model.classes=12"])
      .expect(65, "'model.classes' is given as 12, but these weights were trained with 10")
    // What is given to a training holds, and then the weights do not fit.
    try tiny.command(["train", "tiny.yaml", "--run-dir", "other"], ["model.weights=\(weights)", "model.classes=12"])
      .expect(65, "fc.weight has shape [10, 64], the model's has [12, 64]")
  }

  @Test(
    .ranks,
    arguments: [
      (
        ["model.kind=resnet20"],
        "there is no layer1.1.conv1.weight, which the model has with shape [16, 16, 3, 3]"
      ),
      (["model.shortcut=pad"], "layer2.0.downsample.0.weight of shape [32, 16, 1, 1] has no place in the model"),
      (["model.kind=mlp"], "there is no fc1.weight, which the model has with shape [256, 144]"),
    ])
  func `weights of another network are 65, and the message names tensor and shapes`(
    settings: [String], says: String
  ) throws {
    let tiny = try Self.trained.get()
    let weights = tiny.checkpointPath(1)
    for arguments in [
      ["evaluate", "tiny.yaml", "--weights", weights],
      ["train", "tiny.yaml", "--run-dir", "other", "--set", "model.weights=\(weights)"],
    ] {
      let outcome = try tiny.command(arguments, settings)
      outcome.expect(65, "step-0000001.safetensors: " + says)
      #expect(outcome.standardError.split(separator: "\n").count == 1)
    }
    try tiny.command(["evaluate", "tiny.yaml", "--weights", weights], settings, ranks: 2).expect(65, says)
  }

  @Test func `damaged, torn, foreign and missing weights are 65`() throws {
    let tiny = try Self.trained.get()
    let files = FileManager.default
    for name in ["torn", "flipped", "header"] {
      try? files.removeItem(atPath: tiny.path(name))
      try files.copyItem(atPath: tiny.checkpointPath(1), toPath: tiny.path(name))
    }
    try tiny.truncate(tiny.path("torn"), to: 300_000)
    try tiny.flipBit(of: tiny.path("flipped"), at: 300_000)
    // A digit or a letter of the first metadata.
    try tiny.flipBit(of: tiny.path("header"), at: 40)
    try tiny.folder.write("not weights at all", to: "foreign")
    for (name, says) in [
      ("torn", "torn: cut off: the tensors take"), ("flipped", "does not match its checksum"), ("header", "header: "),
      ("foreign", "foreign: not a safetensors file"), ("missing", "missing: open: No such file or directory"),
      ("run", "run: not a regular file"),
    ] {
      try tiny.command(["evaluate", "tiny.yaml", "--weights", name]).expect(65, says)
      try tiny.command(["train", "tiny.yaml", "--run-dir", "new", "--resume", name]).expect(65, says)
      if name != "run" { try tiny.command(["inspect", name]).expect(65, says) }
    }
    try tiny.command(["inspect", "run/checkpoints"]).expect(64, "is no run's directory")
  }

  /// One step's weights, for tests that do not change them.
  private static let trained = Result {
    let tiny = try TinyRun()
    try tiny.train(["training.max_steps=1"]).expect(0)
    return tiny
  }

  // MARK: Places

  @Test(.ranks) func `a run directory that cannot be is 74`() throws {
    let tiny = try TinyRun()
    // A folder under a regular file: root may write anywhere else.
    for (run, ranks) in [("tiny.yaml/run", nil), ("tiny.yaml", 2)] as [(String, Int?)] {
      try tiny.train(into: run, ranks: ranks)
        .expect(74, "tiny.yaml: mkdir: ", "choose another with --run-dir")
    }
  }
}
