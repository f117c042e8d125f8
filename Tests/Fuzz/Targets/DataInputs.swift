import Datasets
import Foundation

/// A pair of IDX files, training set and test set alike. Byte 0: bits 0-1 say how the images lie (0 plain, 1 as .gz, 2
/// packed here, 3 plain), bits 2-3 the labels, bit 4 resizes. Bytes 1-2: the length of the images' file, little-endian.
/// Then the two files.
struct IDXInput {
  private let folder: Scratch
  private let resizes: Bool

  init(_ input: [UInt8], in parent: Scratch) {
    folder = parent
    let flags = input.first ?? 0
    resizes = flags & 16 != 0
    let rest = input.dropFirst(3)
    let images = rest.prefix(input.dropFirst().prefix(2).reversed().reduce(0) { $0 << 8 | Int($1) })
    Self.write(images, "images-idx3-ubyte", flags & 3, in: parent)
    Self.write(rest.dropFirst(images.count), "labels-idx1-ubyte", flags >> 2 & 3, in: parent)
  }

  private static func write(_ bytes: ArraySlice<UInt8>, _ name: String, _ packing: UInt8, in folder: Scratch) {
    for ending in ["", ".gz"] {
      folder.remove("train-\(name)\(ending)")
      folder.link("t10k-\(name)\(ending)", to: "train-\(name)\(ending)")
    }
    switch packing {
    case 1: folder.write("train-\(name).gz", bytes)
    case 2: folder.write("train-\(name).gz", GzipInput.stored(bytes))
    default: folder.write("train-\(name)", bytes)
    }
  }

  /// By deflate's best ratio, where a file is a .gz.
  static func inflatedBytes(_ input: [UInt8]) -> Int {
    let flags = input.first ?? 0
    return flags & 3 == 1 || flags >> 2 & 3 == 1 ? 1032 * input.count : input.count
  }

  func read() throws {
    try readAll(DataOptions(format: .idx, path: folder.path, size: resizes ? 7 : nil))
  }
}

/// A file of CIFAR records, training set and test set alike. Byte 0: bit 0 says CIFAR-100, bit 1 appends zeros up to a
/// whole record, bit 2 resizes, bit 3 puts the first record's length into a file of its own. Then the file.
struct CIFARInput {
  static let largestRecord = 3074
  private let options: DataOptions

  init(_ input: [UInt8], in folder: Scratch) {
    let flags = input.first ?? 0
    let record = flags & 1 != 0 ? 3074 : 3073
    var bytes = Array(input.dropFirst())
    if flags & 2 != 0 { bytes += [UInt8](repeating: 0, count: (record - bytes.count % record) % record) }
    folder.remove("data_batch_2.bin")
    let first = flags & 8 != 0 ? min(record, bytes.count) : bytes.count
    folder.write("data_batch_1.bin", bytes[..<first])
    if first < bytes.count { folder.write("data_batch_2.bin", bytes[first...]) }
    folder.link("test.bin", to: "data_batch_1.bin")
    options = DataOptions(
      format: flags & 1 != 0 ? .cifar100 : .cifar10, path: folder.path, size: flags & 4 != 0 ? 7 : nil)
  }

  func read() throws { try readAll(options) }
}

/// Loads the data set and touches every byte of it, as a run would.
func readAll(_ options: DataOptions) throws {
  let splits = try DataSplits.load(options)
  for set in [splits.training, splits.validation, splits.test].compactMap(\.self) {
    var sum = 0
    for index in 0..<set.count {
      let label = set.label(index)
      if !(0..<set.classes).contains(label) { finding("label \(label) of \(set.classes) classes") }
      sum += try set.withPixels(of: index) { pixels in (0..<set.shape.count).reduce(0) { $0 + Int(pixels[$1]) } }
    }
    precondition(sum >= 0)
  }
  let normalization = try Normalization.resolved(mean: nil, std: nil, on: splits.training)
  precondition(normalization.std.allSatisfy { $0 > 0 })
}
