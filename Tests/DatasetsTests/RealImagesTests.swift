import Datasets
import Foundation
import Testing

@Suite struct RealImagesTests {
  @Test func `CIFAR-10 has its published mean and standard deviation`() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let path = root.deletingLastPathComponent().path + "/shared/data/cifar10"
    guard FileManager.default.fileExists(atPath: path) else {
      print("NOT TESTED on real images: \(path) is missing")
      return
    }
    let splits = try DataSplits.load(DataOptions(format: .cifar10, path: path))
    #expect(splits.training.count == 40_000)
    #expect(splits.test!.count == 10_000)
    #expect(splits.test!.labels.count { $0 == 3 } == 1000)
    let normalization = try Normalization.computed(on: splits.training)
    // Four of the five batches, decoded from JPEG: not the published bytes.
    for (value, expected) in zip(normalization.mean, [0.491, 0.482, 0.447]) {
      #expect(abs(value - expected) < 0.01)
    }
    for (value, expected) in zip(normalization.std, [0.247, 0.243, 0.262]) {
      #expect(abs(value - expected) < 0.01)
    }
  }
}
