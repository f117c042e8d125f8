import Datasets
import Foundation
import Pictures
import TestSupport
import Testing

struct PictureIndexTests {
  /// ImageNet's size: as many pictures in as many classes, all of which share a few files.
  @Test func `an index of a million pictures is small, and read at once`() throws {
    let folder = try Folder()
    let count = 1_281_167
    let index = PictureIndex.synthetic(count: count, classes: 1000, path: folder.path)
    let bytes = index.encoded
    // 32 bytes an entry, and a name such as n01440764_10026.JPEG.
    #expect(bytes.count <= 100 * count, "\(bytes.count / count) bytes a picture")
    #expect(index.bytesInMemory <= 100 * count)
    let file = try folder.write("index", bytes)
    let start = ContinuousClock.now
    let read = try Data(contentsOf: URL(fileURLWithPath: file)).withUnsafeBytes { PictureIndex(encoded: $0) }
    let taken = ContinuousClock.now - start
    #expect(read == index)
    // It takes half a second on an idle machine, which a machine of tests is not.
    #expect(taken < .seconds(10), "\(taken)")
  }

  @Test func `who waits for an index hears how far it is`() throws {
    let folder = try Folder()
    try PictureFolders.write(["ash", "elm"], counts: (training: 6, test: 4), to: folder.path)
    var options = DataOptions(format: .images, path: folder.path)
    let progress = ReadingProgress()
    options.progress = progress
    _ = try options.pictureIndexes()
    // All twenty for the index, and those to train on for mean and deviation.
    #expect(progress.count == 20 + 12)
  }
}
