import Files
import Foundation
import Formats

/// The binary layout of CIFAR-10 and CIFAR-100 (https://www.cs.toronto.edu/~kriz/cifar.html): records of one label byte
/// (CIFAR-100: coarse, then fine) and 3072 pixel bytes, the red, green and blue planes of 32x32.
enum CIFAR {
  static let shape = ImageShape(channels: 3, height: 32, width: 32)

  /// Loads whatever `data_batch_*.bin` and `train.bin` the directory holds, sorted by name, and `test_batch.bin` and
  /// `test.bin`. The files stay mapped. Every label is checked.
  static func load(_ format: DataFormat, directory: String) throws(DataError) -> (
    training: Dataset, test: Dataset
  ) {
    let names = try names(format, directory)
    let training = names.filter { $0 == "train.bin" || $0.hasPrefix("data_batch_") && $0.hasSuffix(".bin") }
    guard !training.isEmpty else {
      throw DataError(path: directory, reason: "holds no data_batch_*.bin and no train.bin")
    }
    let test = try testFiles(names, directory)
    return (
      try dataset(format, paths: training.map { "\(directory)/\($0)" }), try dataset(format, paths: test)
    )
  }

  /// The test files alone.
  static func loadTest(_ format: DataFormat, directory: String) throws(DataError) -> Dataset {
    try dataset(format, paths: testFiles(names(format, directory), directory))
  }

  private static func testFiles(_ names: [String], _ directory: String) throws(DataError) -> [String] {
    let test = names.filter { $0 == "test.bin" || $0 == "test_batch.bin" }
    guard !test.isEmpty else {
      throw DataError(path: directory, reason: "holds no test_batch.bin and no test.bin")
    }
    return test.map { "\(directory)/\($0)" }
  }

  private static func names(_ format: DataFormat, _ directory: String) throws(DataError) -> [String] {
    do {
      return try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
    } catch {
      throw DataError(
        path: directory, reason: "is not a directory that can be read, expected the \(format) files")
    }
  }

  private static func dataset(_ format: DataFormat, paths: [String]) throws(DataError) -> Dataset {
    var files: [SampleFile] = []
    for path in paths {
      files.append(try open(format, path: path))
    }
    let classes = format == .cifar100 ? 100 : 10
    let dataset = Dataset(shape: shape, classes: classes, files: files)
    try dataset.checkLabels(below: classes, because: "data.format: \(format)")
    return dataset
  }

  private static func open(_ format: DataFormat, path: String) throws(DataError) -> SampleFile {
    let file: MappedFile
    do { file = try MappedFile(path: path) } catch { throw DataError(error) }
    let labelBytes = format == .cifar100 ? 2 : 1
    let record = labelBytes + shape.count
    let size = file.bytes.count
    guard size > 0 else {
      throw DataError(path: path, reason: "is empty, expected records of \(record) bytes")
    }
    guard size % record == 0 else {
      let other: DataFormat = format == .cifar100 ? .cifar10 : .cifar100
      let otherRecord = record == 3074 ? 3073 : 3074
      let hint =
        size % otherRecord == 0
        ? "it is one of \(otherRecord) bytes: is this \(other)?" : "record \(size / record) is cut short"
      throw DataError(
        path: path,
        reason: "\(size) bytes are not a multiple of \(format)'s record of \(record) bytes; \(hint)")
    }
    return SampleFile(path: path, records: file, labelBytes: labelBytes, pixelBytes: shape.count)
  }
}
