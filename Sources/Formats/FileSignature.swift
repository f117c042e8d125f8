import Files

/// What the first bytes of a file say that it is, where it is not what was expected.
package enum FileSignature {
  /// "gzip", "a web page" and so on; nil where nothing is known. Completes "it is ...".
  package static func named(_ bytes: some Collection<UInt8>) -> String? {
    let head = Array(bytes.prefix(64))
    let text = String(decoding: head, as: UTF8.self).lowercased()
    return known.first { head.starts(with: $0.start) }?.name
      ?? (text.hasPrefix("version https://git-lfs")
        ? "a pointer of Git LFS: fetch the file itself (git lfs pull)" : nil)
      ?? (text.drop { $0.isWhitespace }.hasPrefix("<") ? "a web page or XML: the download failed" : nil)
      ?? (head.first == 0x80 && head.count > 1 && 2...5 ~= head[1] ? "a pickle of Python" : nil)
  }

  /// `named` as the end of a sentence: "; it is gzip"; empty where nothing is known.
  package static func hint(_ bytes: some Collection<UInt8>) -> String { named(bytes).map { "; it is \($0)" } ?? "" }

  /// The same of the file at `path`; empty where it cannot be read.
  package static func hint(ofFile path: String) -> String { hint(head(of: path)) }

  /// The first 64 bytes, or all; none where the file cannot be read.
  package static func head(of path: String) -> [UInt8] {
    guard let file = try? MappedFile(path: path) else { return [] }
    return withExtendedLifetime(file) { Array(file.bytes.prefix(64)) }
  }

  private static let known: [(start: [UInt8], name: String)] = [
    ([0x1F, 0x8B], "gzip: unpack it (gunzip)"),
    (Array("PK\u{3}\u{4}".utf8), "a zip archive, as .npz and torch.save's files are"),
    (Array("BZh".utf8), "bzip2: unpack it (bunzip2)"),
    ([0xFD] + Array("7zXZ".utf8), "xz: unpack it (unxz)"),
    ([0x28, 0xB5, 0x2F, 0xFD], "zstd: unpack it (unzstd)"),
    ([0x93] + Array("NUMPY".utf8), "an array of NumPy"),
    ([0x89] + Array("PNG".utf8), "a PNG picture"),
    ([0xFF, 0xD8, 0xFF], "a JPEG picture"),
    (Array("PAR1".utf8), "Parquet"),
    (Array("MATLAB".utf8), "a file of MATLAB"),
    ([0x89] + Array("HDF".utf8), "HDF5"),
  ]
}

extension NumpyFile {
  /// What a file is that is no array.
  package static func hint(_ path: String) -> String {
    let head = FileSignature.head(of: path)
    return head.first == 0x93 ? "" : FileSignature.hint(head)
  }
}
