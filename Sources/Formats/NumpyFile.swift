import Files

/// An array in NumPy's `.npy` format, versions 1 to 3 (numpy.lib.format): little-endian elements in C's order,
/// row-major. The file stays mapped; its length was checked to be exactly what the header says, so that reading a value
/// cannot fail.
package struct NumpyFile: Sendable {
  /// Unsigned and signed integers and floats, by their bytes.
  package enum Element: String, CaseIterable, Sendable {
    case u1, u2, u4, u8, i1, i2, i4, i8, f4, f8

    package var size: Int {
      switch self {
      case .u1, .i1: 1
      case .u2, .i2: 2
      case .u4, .i4, .f4: 4
      case .u8, .i8, .f8: 8
      }
    }

    package var isInteger: Bool { self != .f4 && self != .f8 }
  }

  /// Of the file, or the archive's path and the name in it.
  package let path: String
  package let type: Element
  package let shape: [Int]
  /// The product of the sizes; 1 without dimensions.
  package let count: Int
  private let storage: Storage
  private let start: Int

  private enum Storage: Sendable {
    case mapped(MappedFile)
    case memory(MemoryBlock)

    var bytes: UnsafeRawBufferPointer {
      switch self {
      case .mapped(let file): file.bytes
      case .memory(let block): block.bytes
      }
    }
  }

  private static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)
  /// Larger headers are those of structured arrays; numpy.load has the same limit.
  private static let headerLimit = 10_000

  /// Throws where the file cannot be read or is not such an array, naming file and place.
  package init(path: String) throws(FormatError) {
    try self.init(.mapped(try MappedFile(path: path)), path: path)
  }

  /// An array in memory, such as a member of an archive; `path` stands for it in errors.
  package init(_ block: MemoryBlock, path: String) throws(FormatError) {
    try self.init(.memory(block), path: path)
  }

  private init(_ storage: Storage, path: String) throws(FormatError) {
    func wrong(_ reason: String) -> FormatError { FormatError(path: path, reason: reason) }
    let fileSize = storage.bytes.count
    let prefix = Array(storage.bytes.prefix(12))
    guard prefix.starts(with: Self.magic), prefix.count >= 10 else {
      throw wrong("does not start as a .npy file, with byte 147 and NUMPY, a version and the header's length")
    }
    guard 1...3 ~= prefix[6] else {
      throw wrong("version \(prefix[6]).\(prefix[7]) of the .npy format, expected 1, 2 or 3")
    }
    // The length takes two bytes in version 1, four later.
    let headerStart = prefix[6] == 1 ? 10 : 12
    let length = prefix[8..<min(headerStart, prefix.count)].reversed().reduce(0) { $0 << 8 | Int($1) }
    guard fileSize >= headerStart, length <= fileSize - headerStart else {
      throw wrong("a header of \(length) bytes in a file of \(fileSize)")
    }
    guard length <= Self.headerLimit else {
      throw wrong("a header of \(length) bytes, expected at most \(Self.headerLimit)")
    }
    let start = headerStart + length
    let header = try NumpyHeader(Array(storage.bytes[headerStart..<start])[...], path: path)

    var bytes = header.type.size
    // Zeros first: with one, the others' product may be anything.
    for size in header.shape.sorted() {
      let (product, overflows) = bytes.multipliedReportingOverflow(by: size)
      guard !overflows else { throw wrong("the header's sizes \(Self.text(header.shape)) are impossible") }
      bytes = product
    }
    guard fileSize - start == bytes else {
      throw wrong(
        "\(fileSize - start) bytes after the header, expected \(bytes) for "
          + "\(Self.text(header.shape)) elements of \(header.type.size)")
    }
    self.storage = storage
    self.path = path
    self.start = start
    type = header.type
    shape = header.shape
    count = bytes / header.type.size
  }

  /// The elements' bytes, which may be unaligned; they are there as long as a copy of this value is.
  package var elementBytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: storage.bytes[start...]) }

  /// Calls `body` with the elements' bytes, which may be unaligned; the pointer must not leave `body`.
  package func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    try withExtendedLifetime(storage) { try body(elementBytes) }
  }

  /// Element `index` of the array in row-major order, of a type of integers; a `u8` beyond the range of an Int is its
  /// end.
  package func integer(_ index: Int) -> Int {
    precondition(type.isInteger && (0..<count).contains(index), "element \(index) of \(count) \(type.rawValue)")
    return switch type {
    case .u1: Int(load(index, as: UInt8.self))
    case .u2: Int(load(index, as: UInt16.self))
    case .u4: Int(load(index, as: UInt32.self))
    case .u8: Int(clamping: load(index, as: UInt64.self))
    case .i1: Int(load(index, as: Int8.self))
    case .i2: Int(load(index, as: Int16.self))
    case .i4: Int(load(index, as: Int32.self))
    default: Int(load(index, as: Int64.self))
    }
  }

  /// Element `index`, of any type; an `i8` or `u8` beyond 2^53 is rounded.
  package func number(_ index: Int) -> Double {
    precondition((0..<count).contains(index), "element \(index) of \(count)")
    return switch type {
    case .f4: Double(load(index, as: Float.self))
    case .f8: load(index, as: Double.self)
    case .u8: Double(load(index, as: UInt64.self))
    default: Double(integer(index))
    }
  }

  private func load<Stored: BitwiseCopyable>(_ index: Int, as type: Stored.Type) -> Stored {
    withBytes { $0.loadUnaligned(fromByteOffset: index * MemoryLayout<Stored>.size, as: type) }
  }

  private static func text(_ shape: [Int]) -> String {
    shape.isEmpty ? "1" : shape.map(String.init).joined(separator: " x ")
  }
}
