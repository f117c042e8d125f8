import Datasets
import TestSupport
import Testing

struct TinyShardTests {
  @Test func `tiny100's shards are read where they lie`() throws {
    guard let path = SharedFiles.path("data/tiny100") else { return }
    var options = DataOptions(format: .images, path: path)
    options.indexes = [path: try PictureIndex.at(path, options)]
    let splits = try DataSplits.load(options)
    #expect(splits.training.count == 35_000 && splits.validation?.count == 5_000 && splits.test == nil)
    #expect(splits.training.shape == ImageShape(channels: 3, height: 64, width: 64))
    #expect(splits.training.classes == 100 && splits.training.classNames?.count == 100)
    for label in [0, 57, 99] { #expect(splits.training.labels.count { $0 == label } == 350) }
    #expect(splits.training.origin(of: 0).hasSuffix("tiny100-train-000000.tar, 'n02788148_235.jpg'"))
  }
}
