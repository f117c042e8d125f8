import Datasets
import Foundation
import Testing

@Suite struct CIFARTests {
  private let folder: Folder
  private var options: DataOptions { DataOptions(format: .cifar10, path: folder.path) }

  init() throws { folder = try Folder() }

  @Test func `batches are taken in the order of their names, pixels and labels as they lie in the file`()
    throws
  {
    let (first, second, test) = (cifarRecords(3, seed: 1), cifarRecords(2, seed: 2), cifarRecords(2, seed: 3))
    try folder.write("data_batch_2.bin", second)
    try folder.write("data_batch_1.bin", first)
    try folder.write("test_batch.bin", test)
    try folder.write("readme.html", [1])
    let splits = try DataSplits.load(options)
    #expect(splits.training.count == 5)
    #expect(splits.training.classes == 10)
    #expect(splits.training.shape == ImageShape(channels: 3, height: 32, width: 32))
    #expect(splits.training.labels == [0, 1, 2, 0, 1])
    #expect(splits.training.pixels(2) == Array(first[(2 * 3073 + 1)..<(3 * 3073)]))
    #expect(splits.training.pixels(4) == Array(second[(3073 + 1)..<(2 * 3073)]))
    #expect(splits.training.origin(of: 4) == "\(folder.path)/data_batch_2.bin, record 1")
    #expect(splits.test!.pixels(0) == Array(test[1..<3073]))
  }

  @Test func `CIFAR-100's label is the fine one`() throws {
    try folder.write("train.bin", cifarRecords(30, hundred: true))
    try folder.write("test.bin", cifarRecords(12, hundred: true))
    let splits = try DataSplits.load(DataOptions(format: .cifar100, path: folder.path))
    #expect(splits.training.labels == Array(0..<30))
    #expect(splits.training.classes == 100)
    #expect(splits.test!.count == 12)
  }

  @Test func `a missing directory, and one without the files, are named`() throws {
    let missing = DataOptions(format: .cifar10, path: folder.path + "/none")
    #expect(
      loadingError(missing)
        == "\(folder.path)/none: is not a directory that can be read, expected the cifar10 files")
    #expect(loadingError(options) == "\(folder.path): holds no data_batch_*.bin and no train.bin")
    try folder.write("data_batch_1.bin", cifarRecords(2))
    #expect(loadingError(options) == "\(folder.path): holds no test_batch.bin and no test.bin")
    #expect(
      loadingError(DataOptions(format: .cifar10))
        == "data.path: is not set, expected the directory of the cifar10 files")
  }

  @Test func `a file that is not whole records is refused with its size`() throws {
    try folder.write("test.bin", cifarRecords(1))
    let path = try folder.write("train.bin", Array(cifarRecords(3).dropLast(10)))
    #expect(
      loadingError(options)
        == "\(path): 9209 bytes are not a multiple of cifar10's record of 3073 bytes; record 2 is cut short")
    try folder.write("train.bin", [])
    #expect(loadingError(options) == "\(path): is empty, expected records of 3073 bytes")
  }

  @Test func `either layout read as the other is recognised by its size`() throws {
    let path = try folder.write("train.bin", cifarRecords(3, hundred: true))
    try folder.write("test.bin", cifarRecords(1))
    #expect(
      loadingError(options) == "\(path): 9222 bytes are not a multiple of cifar10's record of 3073 bytes; "
        + "it is one of 3074 bytes: is this cifar100?")
    try folder.write("train.bin", cifarRecords(3))
    #expect(
      loadingError(DataOptions(format: .cifar100, path: folder.path)).hasSuffix(
        "it is one of 3073 bytes: is this cifar10?"))
  }

  @Test func `a label out of range is named by file, record and byte`() throws {
    var records = cifarRecords(4)
    records[2 * 3073] = 10
    let path = try folder.write("data_batch_1.bin", records)
    try folder.write("test.bin", cifarRecords(1))
    #expect(
      loadingError(options)
        == "\(path): record 2 (byte 6146): label 10, expected 0 to 9 (data.format: cifar10)")
  }

  @Test func `a label that the model has no class for is refused only where it is used`() throws {
    try folder.write("train.bin", cifarRecords(8))
    let test = try folder.write("test.bin", cifarRecords(7))
    #expect(
      loadingError(options, classLimit: 7)
        == "\(folder.path)/train.bin: record 7 (byte 21511): label 7, expected 0 to 6 (model.classes: 7)")
    var limited = options
    limited.limit = 5
    #expect(
      loadingError(limited, classLimit: 5)
        == "\(test): record 5 (byte 15365): label 5, expected 0 to 4 (model.classes: 5)")
    limited.testLimit = 5
    #expect(loadingError(limited, classLimit: 5) == "no error")
    #expect(loadingError(options, classLimit: 1000) == "no error")
  }
}
