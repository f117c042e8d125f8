import Foundation
import TestSupport
import Testing

/// Runs on noisy labels; `RankTests` has them at several ranks.
@Suite(.serialized, .timeLimit(.minutes(1))) struct LabelNoiseRunTests {
  private static let noise = ["data.label_noise.kind=symmetric_exclusive", "data.label_noise.rate=0.3"]

  private func labels(_ tiny: TinyRun, _ run: String) throws -> String {
    try String(contentsOfFile: tiny.path("\(run)/labels.csv"), encoding: .utf8)
  }

  @Test func `the noisy labels and their rate are written beside the run`() throws {
    let tiny = try TinyRun()
    let outcome = try tiny.train(Self.noise + ["training.max_steps=1"])
    outcome.expect(0)
    // 7 images a class, of which floor(2.1) become wrong.
    #expect(
      outcome.standardOutput.contains(
        "label noise: symmetric_exclusive, 20 of 70 training labels are wrong (28.57 %)"))
    let lines = try labels(tiny, "run").split(separator: "\n")
    #expect(lines.first == "index,true,given" && lines.count == 71)
    let rows = lines.dropFirst().map { $0.split(separator: ",").map { Int($0)! } }
    // The glyphs show their index mod 10.
    for (index, row) in rows.enumerated() { #expect(row[0] == index && row[1] == index % 10) }
    #expect(rows.count { $0[1] != $0[2] } == 20)

    // The same noise by a file, which gives the same weights; and without noise the file is gone.
    try tiny.folder.write(rows.map { "\($0[2]) \($0[1])\n" }.joined(), to: "people.txt")
    let file = ["data.label_noise.kind=file", "data.label_noise.file=people.txt"]
    try tiny.train(file + ["training.max_steps=1"], into: "file").expect(0)
    #expect(try tiny.tensors(1, of: "file") == tiny.tensors(1))
    #expect(try labels(tiny, "file") == labels(tiny, "run"))
    try FileManager.default.copyItem(atPath: tiny.path("run/labels.csv"), toPath: tiny.path("again.csv"))
    let table = ["data.label_noise.kind=file", "data.label_noise.file=again.csv", "training.max_steps=1"]
    try tiny.train(table, into: "table").expect(0)
    #expect(try tiny.tensors(1, of: "table") == tiny.tensors(1))
    try tiny.train(["training.max_steps=1"], resume: "never").expect(0)
    #expect(!FileManager.default.fileExists(atPath: tiny.path("run/labels.csv")))
  }

  @Test(arguments: ["symmetric_exclusive", "pair_flip"])
  func `labels of one class cannot become another's: 65`(kind: String) throws {
    let tiny = try TinyRun()
    try FileManager.default.createDirectory(atPath: tiny.path("one"), withIntermediateDirectories: true)
    for name in ["train", "t10k"] {
      let files = [
        ("images-idx3", [0, 0, 8, 3, 0, 0, 0, 20, 0, 0, 0, 8, 0, 0, 0, 8] + [UInt8](repeating: 7, count: 20 * 64)),
        ("labels-idx1", [0, 0, 8, 1, 0, 0, 0, 20] + [UInt8](repeating: 0, count: 20)),
      ]
      for (file, bytes) in files {
        try Data(bytes).write(to: URL(fileURLWithPath: tiny.path("one/\(name)-\(file)-ubyte")))
      }
    }
    let settings = ["data.format=idx", "data.path=one", "data.limit=all", "data.test_limit=all"]
    try tiny.train(settings + ["data.label_noise.kind=\(kind)", "data.label_noise.rate=0.5"], dryRun: true)
      .expect(65, "data.label_noise.kind: \(kind) needs a second class, but the data has one")
    try tiny.train(settings + ["training.max_steps=1"]).expect(0)
  }

  @Test(.ranks) func `an epoch's record says what became of right and of wrong labels`() throws {
    let tiny = try TinyRun()
    try tiny.train(Self.noise + ["training.epochs=1", "evaluation.train_samples=60"], ranks: 2).expect(0)
    let record = try #require(try tiny.records().last { $0.kind == "epoch" })
    #expect(record.number("label_noise_rate") == 2.0 / 7)
    for key in ["train_eval_accuracy", "train_accuracy_right_labels", "train_accuracy_wrong_labels", "test_ece"]
      + ["train_accuracy_true_labels"]
    {
      #expect((0...1).contains(try #require(record.number(key))), "\(key)")
    }
    let gap = try #require(record.number("train_eval_accuracy")) - (try #require(record.number("test_accuracy")))
    // Read back from decimals, which may cost a last bit.
    #expect(abs(try #require(record.number("generalization_gap")) - gap) < 1e-15)
    try tiny.train(["training.epochs=1", "evaluation.train_samples=none"], into: "off").expect(0)
    let off = try #require(try tiny.records(of: "off").last { $0.kind == "epoch" })
    #expect(off.values["train_eval_accuracy"] == nil && off.values["label_noise_rate"] == nil)
    #expect(off.number("test_ece") != nil)
  }

  @Test(.ranks) func `the training images are measured as the test set is`() throws {
    let tiny = try TinyRun()
    // 40 CIFAR images that are training and test set; training augments them, in a shuffled order.
    var records = Data()
    for image in 0..<40 {
      records.append(UInt8(image % 10))
      for at in 0..<3072 { records.append(UInt8((at * at / 16 + image * 31) & 255)) }
    }
    for name in ["train", "test"] {
      try tiny.folder.write("", to: "cifar/\(name).bin")
      try records.write(to: URL(fileURLWithPath: tiny.path("cifar/\(name).bin")))
    }
    let settings = [
      "data.format=cifar10", "data.path=cifar", "data.limit=all", "data.test_limit=all", "training.epochs=2",
    ]
    try tiny.train(settings, ranks: 2).expect(0)
    let epochs = try tiny.records().filter { $0.kind == "epoch" }
    #expect(epochs.count == 2)
    for record in epochs {
      #expect(record.number("train_eval_accuracy") == record.number("test_accuracy"))
      #expect(record.number("train_eval_loss") == record.number("test_loss"))
      #expect(record.number("generalization_gap") == 0)
    }
  }

  @Test(.ranks) func `a run on noisy labels goes on where it stopped, and not with other labels`() throws {
    let tiny = try TinyRun()
    try tiny.train(Self.noise, into: "whole").expect(0)
    try tiny.train(Self.noise + ["training.max_steps=7"]).expect(0)
    try tiny.train(Self.noise, resume: "auto", ranks: 2).expect(0)
    #expect(try tiny.tensors(20) == tiny.tensors(20, of: "whole"))
    #expect(try labels(tiny, "run") == labels(tiny, "whole"))
    try tiny.train(Self.noise + ["data.label_noise.seed=1"], resume: "auto")
      .expect(65, "'data.label_noise.seed' is 1, but the run began with of training.seed")
    try tiny.train([], resume: "auto").expect(65, "'data.label_noise.kind' is none, but the run began with")
  }

  @Test(.ranks) func `a file of other labels is refused, also on resume`() throws {
    let tiny = try TinyRun()
    let settings = ["data.label_noise.kind=file", "data.label_noise.file=labels.txt", "training.max_steps=1"]
    try tiny.train(settings).expect(65, "labels.txt: no such file")
    let right = (0..<70).map { "\($0 % 10)\n" }.joined()
    try tiny.folder.write(right + "7\n", to: "labels.txt")
    try tiny.train(settings).expect(65, "labels.txt: 71 integers in 71 lines, expected 70")
    try tiny.folder.write(right.replacingOccurrences(of: "9", with: "x"), to: "labels.txt")
    try tiny.train(settings, ranks: 2).expect(65, "labels.txt: line 10: 'x', expected a label")
    try tiny.folder.write(right, to: "labels.txt")
    try tiny.train(settings).expect(0)
    try tiny.folder.write(right.replacingOccurrences(of: "9", with: "8"), to: "labels.txt")
    try tiny.train(settings + ["training.max_steps=2"], resume: "auto")
      .expect(65, "'data.path' or 'data.label_noise.file' holds other data than the run began with")
  }
}
