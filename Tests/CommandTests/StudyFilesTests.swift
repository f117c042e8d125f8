import Foundation
import Studies
import TestSupport
import Testing

/// The files of configs/studies, each run from end to end: all points and variants, with one seed, a tenth of the
/// samples, four steps, and images of 8x8. What they would find at full size takes hours; that they run takes seconds.
@Suite(.ranks, .serialized, .timeLimit(.minutes(3))) struct StudyFilesTests {
  private static let configurations = PackageRoot.path + "/configs"

  /// All but what the others have in common. A checkout without the folder is no checkout.
  static let names = try! FileManager.default.contentsOfDirectory(atPath: configurations + "/studies")
    .filter { $0.hasSuffix(".yaml") && $0 != "base.yaml" && $0 != "transfer.yaml" }.sorted()

  @Test func `the study of transfer starts from a run on other classes, and is not made twice`() throws {
    let folder = try TemporaryDirectory()
    try FileManager.default.copyItem(atPath: Self.configurations, toPath: folder.path("configs"))
    let (start, study) = ("configs/tiny100-resnet8-first50.yaml", "configs/studies/transfer.yaml")
    // The channels are then the pictures' own, for the start and for what begins with it.
    let text = try String(contentsOfFile: folder.path(start), encoding: .utf8)
    try folder.write(text.replacing("  channels: 3\n", with: ""), to: start)
    try folder.write(reduced(String(contentsOfFile: folder.path(study), encoding: .utf8)), to: study)
    try PictureFolders.write(["a", "b", "c", "d"], to: folder.path("set"))
    let settings = [
      "data.path=set", "data.test_path=none", "data.size=8", "training.epochs=1", "training.max_steps=3",
      "training.batch_size=4",
    ]
    func run(_ arguments: [String], _ further: [String]) throws -> Program.Outcome {
      try Program.run(
        arguments + (settings + further).flatMap { ["--set", $0] }, timeLimit: 60, workingDirectory: folder.path)
    }
    try run(["train", start, "--run-dir", "runs/first50"], ["data.classes=[0,1]"]).expect(0)
    for done in [0, 6] {
      let outcome = try run(["sweep", study, "--directory", "out"], ["data.classes=[2,3]"])
      outcome.expect(0)
      #expect(outcome.standardOutput.contains("6 runs, \(done) of them done before"), "\(outcome.standardOutput)")
    }
  }

  /// Where base.yaml looks for them: 700 training and 200 test images of noise, the ten classes in turn.
  private func writeImages(into folder: TemporaryDirectory) throws {
    // A linear congruential generator's upper bytes: the same noise every time.
    var state: UInt64 = 1
    for (name, count) in [("train.bin", 700), ("test.bin", 200)] {
      var records = Data(capacity: count * 3073)
      for image in 0..<count {
        records.append(UInt8(image % 10))
        for _ in 0..<3072 {
          state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
          records.append(UInt8(state >> 56))
        }
      }
      try folder.write("", to: "data/cifar10/\(name)")
      try records.write(to: URL(fileURLWithPath: folder.path("data/cifar10/\(name)")))
    }
  }

  /// Where a study looks for them: labels that people gave those images, a third of them right, and the true ones.
  private func writeLabels(into folder: TemporaryDirectory) throws {
    let lines = (0..<700).map { "\(($0 + $0 % 3) % 10) \($0 % 10)\n" }
    try folder.write(lines.joined(), to: "data/cifar10n/worse.txt")
  }

  /// One seed, two trials of a search, a tenth of the samples. The grid of samples, and conditions on it, stay a grid,
  /// so that `--set` would not do.
  private func reduced(_ study: String) -> String {
    study.replacing(/seeds: \[.*\]/, with: "seeds: [7]")
      .replacing(/trials: \d+/, with: "trials: 2")
      .replacing("validation: 5000", with: "validation: 50")
      // Not every processor that tests has it.
      .replacing("precision: bfloat16", with: "precision: auto")
      .replacing(/(samples_per_class|limit): \[?[\d, ]+/) { $0.output.0.replacing(/0\b/, with: "") }
  }

  @Test(arguments: names) func `a study of the repository runs, with every point and variant in its tables`(
    name: String
  ) throws {
    let folder = try TemporaryDirectory()
    try FileManager.default.copyItem(atPath: Self.configurations, toPath: folder.path("configs"))
    let file = "configs/studies/\(name)"
    try folder.write(reduced(String(contentsOfFile: folder.path(file), encoding: .utf8)), to: file)
    try writeImages(into: folder)
    try writeLabels(into: folder)

    let settings = ["data.size=8", "training.epochs=1", "training.max_steps=4", "training.batch_size=50"]
    let outcome = try Program.run(
      ["sweep", file, "--directory", "out"] + settings.flatMap { ["--set", $0] }, ranks: 2, timeLimit: 60,
      workingDirectory: folder.path)
    outcome.expect(0)
    let runs = try Sweep.load(path: folder.path(file)).runs()
    #expect(outcome.standardOutput.contains("\(file): \(runs.count) runs, 0 of them done before, 2 at a time"))
    let tables = try String(contentsOfFile: folder.path("out/results.md"), encoding: .utf8)
    for (variant, runs) in Dictionary(grouping: runs, by: \.variant) {
      // Of a search with what was drawn in between.
      let rows = tables.split(separator: "\n").filter { $0.hasPrefix("| \(variant) | ") && $0.contains(" | 1 | ") }
      #expect(rows.count == runs.count, "\(variant)")
    }
    #expect(!tables.contains("failed") && !tables.contains("not done yet"))
  }
}
