/// What a rank tells the others of its state: a checksum of every tensor, and which host it is on.
package struct StateDigest: Equatable, Sendable {
  package let checksums: [UInt32]
  package let host: String

  package init(checksums: [UInt32], host: String) {
    self.checksums = checksums
    self.host = host
  }

  private static let hostBytes = 64

  /// As many of every rank: the checksums, then the host's name, cut or filled up with zeros.
  package var bytes: [UInt8] {
    let name = Array(host.utf8.prefix(Self.hostBytes))
    return checksums.withUnsafeBytes { Array($0) } + name + Array(repeating: 0, count: Self.hostBytes - name.count)
  }

  /// `bytes` of the digest of so many tensors.
  package init(bytes: [UInt8], tensors: Int) {
    checksums = bytes.withUnsafeBytes { bytes in
      (0..<tensors).map { bytes.loadUnaligned(fromByteOffset: $0 * 4, as: UInt32.self) }
    }
    host = String(decoding: bytes.suffix(Self.hostBytes).prefix { $0 != 0 }, as: UTF8.self)
  }
}
