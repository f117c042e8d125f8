import Foundation
import TestSupport
import Testing

/// Runs on pictures and arrays, through the program.
@Suite(.serialized, .timeLimit(.minutes(5))) struct PictureRunTests {
  private static let configuration = """
    data: {augment: [pad-crop, flip]}
    model: {kind: resnet8}
    training: {epochs: 10, batch_size: 6, shards: 2, max_steps: 20}
    icp: {steps: 1}
    distillation: {warmup: 0}
    evaluation: {train_samples: none}
    """

  @Test(.ranks)
  func `every format of the same images gives the same bits of 20 steps and the same loss, at 1 and 2 ranks`()
    throws
  {
    let same = SameImages()
    let tiny = try TinyRun(Self.configuration)
    var reference: [String: [UInt8]] = [:]
    var loss: Double?
    for (index, (name, place)) in try same.all().enumerated() {
      let ranks = index % 2 == 0 ? nil : 2
      // CIFAR's files have ten classes; those of the others follow from what they hold.
      let settings = [
        "data.path=\(place.path)", "data.decoder_threads=\(1 + index % 3)", "model.classes=10",
      ]
      try tiny.train(settings, into: name, ranks: ranks).expect(0)
      let tensors = try tiny.tensors(20, of: name)
      let measured = try #require(tiny.records(of: name).last { $0.kind == "epoch" }?.number("test_loss"))
      if index == 0 { (reference, loss) = (tensors, measured) }
      #expect(tensors == reference, "\(name)")
      #expect(measured == loss, "\(name)")
      // The format that was recognised, so that a resume compares it.
      let written = try String(contentsOfFile: tiny.path("\(name)/config.yaml"), encoding: .utf8)
      #expect(written.contains("format: \(place.format)\n"), "\(name)")
    }
  }

  @Test(.ranks)
  func
    `random crops of pictures have the same bits at any number of ranks and threads, kept or not, and after a resume`()
    throws
  {
    let same = SameImages()
    let tiny = try TinyRun(Self.configuration)
    let settings = [
      "data.path=\(try same.shards().path)",
      "data.augment=[random-resized-crop: {scale: [0.3, 1]}, rand-augment, flip]",
      "data.size=24", "training.max_steps=6",
    ]
    try tiny.train(settings, into: "one").expect(0)
    let cached = settings + ["data.cache=cache", "data.decoder_threads=3"]
    try tiny.train(cached, into: "two", ranks: 2).expect(0)
    try tiny.train(cached + ["training.max_steps=3"], into: "resumed").expect(0)
    try tiny.train(cached, into: "resumed", resume: "auto", ranks: 2).expect(0)
    for run in ["two", "resumed"] { #expect(try tiny.tensors(6, of: run) == tiny.tensors(6, of: "one"), "\(run)") }
  }

  @Test func `bad files end a run before it begins, all of them named; or are left out, and counted`() throws {
    let same = SameImages()
    let tiny = try TinyRun(Self.configuration)
    let folder = try same.folders().path
    try Data("no picture".utf8).write(to: URL(fileURLWithPath: "\(folder)/train/class0/a.jpg"))
    try Data().write(to: URL(fileURLWithPath: "\(folder)/test/class1/b.png"))
    let outcome = try tiny.train(["data.path=\(folder)"])
    outcome.expect(65, "2 files of 18 cannot be used")
    #expect(outcome.standardError.contains("a.jpg: is text") && outcome.standardError.contains("b.png: is empty"))
    #expect(!FileManager.default.fileExists(atPath: tiny.path("run")))
    let skipped = try tiny.train(["data.path=\(folder)", "data.bad_files=skip", "training.max_steps=1"])
    skipped.expect(0)
    #expect(skipped.standardOutput.contains("2 bad files left out (data.bad_files: skip)"))
    let inspected = try tiny.command(["inspect", "run/checkpoints/step-0000001.safetensors"])
    #expect(inspected.standardOutput.contains("bad_files"), "\(inspected.standardOutput)")
  }

  @Test(.ranks) func `a picture that changes during a run ends it with 65 and its name`() throws {
    let same = SameImages()
    let tiny = try TinyRun(Self.configuration)
    let folder = try same.folders().path
    let settings = ["data.path=\(folder)", "data.cache=cache"]
    try tiny.train(settings + ["training.max_steps=1"]).expect(0)
    // The index that was kept knows another file of that name.
    let file = "\(folder)/train/class2/111.png"
    try Data(contentsOf: URL(fileURLWithPath: "\(folder)/train/class0/100.png")).write(to: URL(fileURLWithPath: file))
    for name in try FileManager.default.contentsOfDirectory(atPath: tiny.path("cache")) where name.hasPrefix("pixels") {
      try FileManager.default.removeItem(atPath: tiny.path("cache/\(name)"))
    }
    for ranks in [nil, 2] {
      let outcome = try tiny.train(settings, into: "again", resume: "never", ranks: ranks)
      outcome.expect(65, "111.png: ")
      #expect(outcome.standardError.contains("the data was changed"))
    }
  }

  @Test func `class names belong to the model: another order is 65 with both lists`() throws {
    let same = SameImages()
    let tiny = try TinyRun(Self.configuration)
    let folder = try same.folders().path
    try tiny.train(["data.path=\(folder)", "training.max_steps=1"]).expect(0)
    let weights = "run/checkpoints/step-0000001.safetensors"
    let measured = try tiny.command(["evaluate", "tiny.yaml", "--weights", weights], ["data.path=\(folder)"])
    measured.expect(0)
    #expect(measured.standardOutput.contains("class2"), "\(measured.standardOutput)")
    for part in ["train", "test"] {
      try FileManager.default.moveItem(atPath: "\(folder)/\(part)/class0", toPath: "\(folder)/\(part)/other")
    }
    try tiny.command(["evaluate", "tiny.yaml", "--weights", weights], ["data.path=\(folder)"])
      .expect(
        65, "its outputs are 'class0', 'class1', 'class2', but the data's classes are 'class1', 'class2', 'other'")
  }

  @Test func `without a test set a run trains, and measuring says what is missing`() throws {
    let same = SameImages()
    let tiny = try TinyRun(Self.configuration)
    let folder = try same.folders().path + "/train"
    try tiny.train(["data.path=\(folder)", "training.max_steps=1"]).expect(0)
    let weights = "run/checkpoints/step-0000001.safetensors"
    try tiny.command(["evaluate", "tiny.yaml", "--weights", weights], ["data.path=\(folder)"])
      .expect(65, "holds no test images, which are measured here: set data.test_path, or data.test to hold some out")
    try tiny.command(["evaluate", "tiny.yaml", "--weights", weights], ["data.path=\(folder)", "data.test=0.25"]).expect(
      0)
  }

  @Test func `icp data tells what there is, and shows it`() throws {
    let same = SameImages()
    let tiny = try TinyRun(Self.configuration)
    let folder = try same.folders().path
    try FileManager.default.copyItem(atPath: "\(folder)/train/class0/100.png", toPath: "\(folder)/test/class0/copy.png")
    try Data().write(to: URL(fileURLWithPath: "\(folder)/train/class0/empty.png"))
    let outcome = try tiny.command(["data", "tiny.yaml", "--pictures", "sheet.png"], ["data.path=\(folder)"])
    outcome.expect(0)
    for part in [
      "training     12        3", "17 files are PNG, colour, 8 bits", "bad files: 1", "empty.png: is empty",
      "images that are the same: 1", "WARNING: 1 image in more than one of training, validation and test",
    ] { #expect(outcome.standardOutput.contains(part), "\(part)") }
    let sheet = try Data(contentsOf: URL(fileURLWithPath: tiny.path("sheet.png")))
    #expect(sheet.starts(with: [0x89, 0x50, 0x4E, 0x47]) && sheet.count > 10_000)
    try tiny.command(["data", "tiny.yaml", "--pictures", "tiny.yaml"], ["data.path=\(folder)"])
      .expect(64, "is the configuration, which would be lost")
  }
}
