/// What kind of file bytes are, by how they begin: names of files do not count.
package enum ImageFormat: String, CaseIterable, Sendable {
  case jpeg, png

  /// Names of files that are taken for pictures.
  package static let fileEndings: Set<String> = ["jpg", "jpeg", "png"]

  private var signature: [UInt8] {
    switch self {
    case .jpeg: [0xFF, 0xD8, 0xFF]
    case .png: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
    }
  }

  /// Throws where bytes are neither, and says what they look like.
  init(of bytes: UnsafeRawBufferPointer) throws(ImageError) {
    guard !bytes.isEmpty else { throw ImageError(.empty, "is empty") }
    guard let format = Self.allCases.first(where: { bytes.starts(with: $0.signature) }) else {
      guard !Self.allCases.contains(where: { $0.signature.starts(with: bytes) }) else {
        throw ImageError(.truncated, "ends after \(bytes.count) bytes, expected a JPEG or PNG picture")
      }
      throw ImageError(.otherKind, "is \(Self.guess(bytes)), expected a JPEG or PNG picture")
    }
    self = format
  }

  private static func guess(_ bytes: UnsafeRawBufferPointer) -> String {
    let known: [(String, [UInt8], at: Int)] = [
      ("a GIF", Array("GIF8".utf8), 0), ("a BMP", Array("BM".utf8), 0), ("a WebP", Array("WEBP".utf8), 8),
      ("a TIFF", [0x49, 0x49, 0x2A, 0], 0), ("a TIFF", [0x4D, 0x4D, 0, 0x2A], 0),
      ("an AVIF or HEIF", Array("ftyp".utf8), 4), ("a JPEG 2000", [0, 0, 0, 12, 0x6A, 0x50], 0),
      ("a PDF", Array("%PDF".utf8), 0), ("a .npy array", [0x93] + Array("NUMPY".utf8), 0),
      ("a zip archive", Array("PK".utf8), 0), ("a gzip file", [0x1F, 0x8B], 0),
    ]
    if let match = known.first(where: { bytes.dropFirst($0.at).starts(with: $0.1) }) { return match.0 }
    let isText = bytes.prefix(256).allSatisfy { 32...126 ~= $0 || 9...13 ~= $0 || $0 >= 128 }
    return isText ? "text" : "of no kind that is known"
  }
}
