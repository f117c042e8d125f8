import Foundation
import TestSupport
import Testing

/// Training networks of ONNX files (Tests/Fixtures/make_onnx.py), by the program itself.
@Suite(.ranks, .serialized, .timeLimit(.minutes(2))) struct `Networks from files` {
  static let names = ["preactivation", "squeeze", "densenet", "convnext", "attention"]

  /// 35 images of 3x16x16 in batches of 10, the last one of 5, over 4 shards: ragged shards, and pieces of one sample.
  static func configuration(_ name: String) -> String {
    """
    data: {format: idx, path: data}
    model: {kind: onnx, path: \(PackageRoot.path)/Tests/Fixtures/\(name).onnx}
    training: {epochs: 2, batch_size: 10, shards: 4}
    icp: {steps: 2}
    distillation: {warmup: 0}
    checkpoint: {keep: 50}
    logging: {every_steps: 1}
    """
  }

  static func run(_ name: String) throws -> TinyRun {
    let tiny = try TinyRun(configuration(name))
    try ColouredImages.write(to: tiny.path("data"), height: 16, width: 16)
    return tiny
  }

  @Test(arguments: names)
  func `train to the same bits at 1 to 4 ranks, and over a resume`(name: String) throws {
    let tiny = try Self.run(name)
    try tiny.train(into: "at1").expect(0)
    let expected = try tiny.tensors(8, of: "at1")
    #expect(try expected != tiny.tensors(4, of: "at1"))
    for ranks in 2...3 {
      try tiny.train(into: "at\(ranks)", ranks: ranks).expect(0)
      #expect(try tiny.tensors(8, of: "at\(ranks)") == expected)
    }
    // Step 5 lies within the second epoch.
    try tiny.train(["training.max_steps=5"], into: "broken", ranks: 4).expect(0)
    try tiny.train(into: "broken", resume: "auto", ranks: 4).expect(0)
    #expect(try tiny.tensors(8, of: "broken") == expected)
    #expect(try tiny.records(of: "broken").map(\.timeless) == tiny.records(of: "at1").map(\.timeless))
  }
}
