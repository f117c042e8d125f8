import CZlib

/// CRC-32 as zlib, gzip, PNG and Python's `zlib.crc32` compute it.
package enum Checksum {
  /// `crc32("123456789") == 0xCBF43926`
  package static func crc32(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    // crc32_z takes a size_t; crc32 would cut sizes above 4 GiB.
    UInt32(truncatingIfNeeded: crc32_z(0, bytes.bindMemory(to: UInt8.self).baseAddress, bytes.count))
  }

  package static func crc32(_ bytes: some Sequence<UInt8>) -> UInt32 {
    bytes.withContiguousStorageIfAvailable { crc32(UnsafeRawBufferPointer($0)) }
      ?? Array(bytes).withUnsafeBytes { crc32($0) }
  }

  /// CRC-32C (Castagnoli), which zlib does not have: `crc32c("123456789") == 0xE3069283`
  package static func crc32c(_ bytes: some Sequence<UInt8>) -> UInt32 {
    ~bytes.reduce(~0) { sum, byte in sum >> 8 ^ castagnoli[Int(UInt8(truncatingIfNeeded: sum) ^ byte)] }
  }

  private static let castagnoli = (0..<256).map { (index: UInt32) -> UInt32 in
    (0..<8).reduce(index) { sum, _ in sum & 1 == 1 ? sum >> 1 ^ 0x82F6_3B78 : sum >> 1 }
  }

  /// Eight lower-case hexadecimal digits: Python's `format(value, "08x")`.
  package static func hexadecimal(_ value: UInt32) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 8 - digits.utf8.count) + digits
  }
}
