import Files
import Foundation
import Formats
import Pictures
import Runtime

/// The binary layout of CIFAR-10 and CIFAR-100 (https://www.cs.toronto.edu/~kriz/cifar.html): records of one label byte
/// (CIFAR-100: coarse, then fine) and 3072 pixel bytes, the red, green and blue planes of 32x32.
enum CIFAR {
  static let shape = ImageShape(channels: 3, height: 32, width: 32)

  /// Loads the `data_batch_N.bin` that the directory holds, sorted by name, or its `train.bin`; and `test_batch.bin` or
  /// `test.bin`. The files stay mapped. Every label is checked. Copies, and both of either, would count as more data:
  /// refused.
  static func load(_ format: DataFormat, directory: String) throws(FileError) -> (
    training: Dataset, test: Dataset
  ) {
    let folder = try DataFolder(directory, for: format)
    if let copy = folder.names.first(where: {
      looksLikeBatch($0) && trainingNumber($0) == nil && $0 != "test_batch.bin"
    }) {
      throw FileError(
        path: "\(directory)/\(copy)",
        reason:
          "is called as a file of the data set, but not data_batch_N.bin with a number, nor test_batch.bin: a copy would "
          + "count as more data, another spelling as less; remove or rename it")
    }
    let batches = folder.names.filter { trainingNumber($0) != nil }
    let training = try one(of: folder, batches, or: "train.bin", of: "data_batch_*.bin", format)
    return (try dataset(format, paths: training, in: folder), try test(format, folder))
  }

  /// The test files alone.
  static func loadTest(_ format: DataFormat, directory: String) throws(FileError) -> Dataset {
    try test(format, DataFolder(directory, for: format))
  }

  private static func test(_ format: DataFormat, _ folder: DataFolder) throws(FileError) -> Dataset {
    let batches = folder.names.filter { $0 == "test_batch.bin" }
    let paths = try one(of: folder, batches, or: "test.bin", of: "test_batch.bin", format)
    return try dataset(format, paths: paths, in: folder)
  }

  /// The paths of `batches`, or of the file `single`: whichever is there.
  private static func one(
    of folder: DataFolder, _ batches: [String], or single: String, of pattern: String, _ format: DataFormat
  ) throws(FileError) -> [String] {
    let hasSingle = folder.names.contains(single)
    guard hasSingle || !batches.isEmpty else {
      throw FileError(path: folder.path, reason: "holds no \(pattern) and no \(single)" + folder.hint(for: format))
    }
    guard !hasSingle || batches.isEmpty else {
      throw FileError(
        path: folder.path,
        reason: "holds \(batches[0]) and \(single), which are two data sets or one twice: keep those of one")
    }
    return (hasSingle ? [single] : batches).map { "\(folder.path)/\($0)" }
  }

  /// N of `data_batch_N.bin`.
  static func trainingNumber(_ name: String) -> Int? {
    guard name.hasPrefix("data_batch_"), name.hasSuffix(".bin") else { return nil }
    let digits = name.dropFirst(11).dropLast(4)
    return digits.utf8.allSatisfy { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 } ? Int(digits) : nil
  }

  /// Names such as `data_batch_1 (1).bin`, `train copy.bin`, `DATA_BATCH_1.BIN`.
  private static func looksLikeBatch(_ name: String) -> Bool {
    let name = name.lowercased()
    guard name.hasSuffix(".bin"), name != "train.bin", name != "test.bin" else { return false }
    let base = name.dropLast(4)
    return ["data_batch", "test_batch"].contains(where: base.hasPrefix)
      || ["train", "test"].contains { base.hasPrefix("\($0) ") || base.hasPrefix("\($0)-") || base.hasPrefix("\($0)(") }
  }

  /// What the classes are called, by the file that is published beside the batches: a name a line, in their order. Nil
  /// where it is not there, or is not that: no number depends on it.
  private static func classNames(_ format: DataFormat, _ folder: DataFolder, count: Int) -> [String]? {
    let name = format == .cifar100 ? "fine_label_names.txt" : "batches.meta.txt"
    guard folder.names.contains(name), let bytes = try? RegularFile.prefix("\(folder.path)/\(name)", count: 1 << 14),
      let text = String(validating: bytes, as: UTF8.self)
    else { return nil }
    let names = text.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }
      .filter { !$0.isEmpty }
    let isList = names.count == count && Set(names).count == count
    let isShown = names.joined().unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
    return isList && isShown ? names : nil
  }

  private static func dataset(
    _ format: DataFormat, paths: [String], in folder: DataFolder
  ) throws(FileError) -> Dataset {
    var files: [SampleFile] = []
    for path in paths {
      let file = try open(format, path: path)
      if let same = files.first(where: { $0.hasPixels(of: file) }) {
        throw FileError(path: path, reason: "holds the same bytes as \(same.path): a copy would count as more data")
      }
      files.append(file)
    }
    let classes = format == .cifar100 ? 100 : 10
    let dataset = Dataset(shape: shape, classes: classes, files: files)
      .named(classNames(format, folder, count: classes))
    try dataset.checkLabels(below: classes, because: "data.format: \(format)")
    return dataset
  }

  private static func open(_ format: DataFormat, path: String) throws(FileError) -> SampleFile {
    let file = try MappedFile(path: path)
    let labelBytes = format == .cifar100 ? 2 : 1
    let record = labelBytes + shape.count
    let size = file.bytes.count
    guard size > 0 else {
      throw FileError(path: path, reason: "is empty, expected records of \(record) bytes")
    }
    guard size % record == 0 else {
      let other: DataFormat = format == .cifar100 ? .cifar10 : .cifar100
      let otherRecord = record == 3074 ? 3073 : 3074
      let hint =
        size % otherRecord == 0
        ? "it is one of \(otherRecord) bytes: is this \(other)?" : "record \(size / record) is cut short"
      throw FileError(
        path: path,
        reason:
          "\(counted(size, "byte")) \(size == 1 ? "is" : "are") not a multiple of \(format)'s record of \(record) bytes"
          + (FileSignature.named(file.bytes).map { "; it is \($0)" } ?? "; \(hint)"))
    }
    return SampleFile(path: path, records: file, labelBytes: labelBytes, pixelBytes: shape.count)
  }
}
