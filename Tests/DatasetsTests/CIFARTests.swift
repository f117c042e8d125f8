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

  @Test func `classes have the names that are published beside the batches, a name a line`() throws {
    try folder.write("train.bin", cifarRecords(3))
    try folder.write("test.bin", cifarRecords(2))
    #expect(try DataSplits.load(options).test!.classNames == nil)
    let names = (0..<10).map { "class \($0)" }
    try folder.write("batches.meta.txt", Array((names.joined(separator: "\r\n") + "\n\n").utf8))
    let splits = try DataSplits.load(options)
    #expect(splits.training.classNames == names && splits.test!.classNames == names)
    #expect(try DataSplits.loadTest(options).classNames == names)
    var chosen = options
    chosen.classes = [1, 0]
    #expect(try DataSplits.load(chosen).test!.classNames == ["class 1", "class 0"])
    for wrong in [names.dropLast().joined(separator: "\n"), names.joined(separator: "\n").replacing("9", with: "8")] {
      try folder.write("batches.meta.txt", Array(wrong.utf8))
      #expect(try DataSplits.load(options).training.classNames == nil)
    }
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
    #expect(loadingError(options) == "\(folder.path): holds no data_batch_*.bin and no train.bin; it is empty")
    let file = try folder.write("data_batch_1.bin", cifarRecords(2))
    #expect(
      loadingError(options)
        == "\(folder.path): holds no test_batch.bin and no test.bin; it holds 'data_batch_1.bin'")
    #expect(
      loadingError(DataOptions(format: .cifar10, path: file)).hasSuffix("it is a file: name the folder that it lies in")
    )
    #expect(loadingError(DataOptions(format: .cifar10, path: "~/data")).contains("'~' is replaced by shells, not here"))
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

  @Test(arguments: [
    ("data_batch_1 (1).bin", "is called as a file of the data set, but not data_batch_N.bin"),
    ("data_batch_1 copy.bin", "is called as a file of the data set"), ("test_batch (2).bin", "is called as a file"),
    ("DATA_BATCH_2.BIN", "is called as a file"), ("Test_batch.bin", ", nor test_batch.bin: a copy would count"),
    ("data_batch_6.bin", "holds the same bytes as"), ("train.bin", "holds data_batch_1.bin and train.bin"),
    ("test.bin", "holds test_batch.bin and test.bin"),
  ])
  func `copies, and both sets of names at once, are refused and not counted as more data`(name: String, says: String)
    throws
  {
    let records = cifarRecords(3)
    for name in ["data_batch_1.bin", "test_batch.bin", name] { try folder.write(name, records) }
    #expect(loadingError(options).contains(says), "\(loadingError(options))")
  }

  @Test func `what is there in the place of the files is said`() throws {
    func says(_ names: [String], _ bytes: [UInt8] = cifarRecords(2), as format: DataFormat = .cifar10) throws -> String
    {
      let folder = try Folder()
      for name in names {
        let place = URL(fileURLWithPath: "\(folder.path)/\(name)").deletingLastPathComponent()
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        try folder.write(name, bytes)
      }
      return loadingError(DataOptions(format: format, path: folder.path))
        .replacingOccurrences(of: folder.path, with: "DIR")
    }
    let below = ["cifar-10-batches-bin/data_batch_1.bin", "cifar-10-batches-bin/test_batch.bin"]
    #expect(try says(below).hasSuffix("; they are in DIR/cifar-10-batches-bin: set data.path to it"))
    #expect(
      try says(below.map { "a/\($0)" }).hasSuffix("; they are in DIR/a/cifar-10-batches-bin: set data.path to it"))
    #expect(try says(["data_batch_1", "test_batch", "batches.meta"]).contains("; it holds the Python version, where"))
    #expect(try says(["py/data_batch_1", "py/test_batch"]).contains("; it holds the Python version (py), where"))
    #expect(try says(["cifar-10-binary.tar.gz"]).hasSuffix(": unpack cifar-10-binary.tar.gz"))
    #expect(try says(["train-images-idx3-ubyte.gz"]).hasSuffix("; it holds files of idx: is 'data.format' right?"))
    func unknown(_ names: [String]) throws -> String {
      try says(names, as: .auto).replacing("is of no format that is known, which are", with: "")
    }
    #expect(try unknown(below).hasSuffix("; they are in DIR/cifar-10-batches-bin: set data.path to it"))
    #expect(
      try unknown(["MNIST/raw/train-images-idx3-ubyte"]).hasSuffix("; they are in DIR/MNIST/raw: set data.path to it"))
    #expect(try unknown(["notes.txt"]).hasSuffix("; it holds 'notes.txt'"))
    #expect(try unknown(["a.npz"]).hasSuffix("; it holds 'a.npz': name the file, DIR/a.npz"))
    let files = ["data_batch_1.bin", "test_batch.bin"]
    #expect(try says(files, Array("<!DOCTYPE html>".utf8)).hasSuffix("it is a web page or XML: the download failed"))
    #expect(try says(files, Array("version https://git-lfs.github.com".utf8)).contains("it is a pointer of Git LFS"))
    #expect(try says(files, [0x1F, 0x8B, 8]).hasSuffix("it is gzip: unpack it (gunzip)"))
  }

  @Test func `what is no place of data is said as it is`() throws {
    let archive = try folder.write("cifar.tar.gz", [0x1F, 0x8B, 8])
    #expect(loadingError(DataOptions(format: .auto, path: archive)).hasSuffix("; it is gzip: unpack it (gunzip)"))
    let page = try folder.write("mnist.npz", Array("<!DOCTYPE html>".utf8))
    #expect(
      loadingError(DataOptions(format: .auto, path: page)).hasSuffix("it is a web page or XML: the download failed"))
    for path in ["~/x", "$DATA/x", "${DATA}/x"] {
      let message = loadingError(DataOptions(format: .auto, path: path))
      #expect(message.hasPrefix("\(path): no such file or folder; '\(path.first!)' is replaced by shells, not here"))
    }
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
