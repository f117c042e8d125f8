import Files

/// Goes through the text of a file's header. Every step is bounded by the text; every error tells the byte at which it
/// stands. White space between words counts for nothing.
struct TextCursor {
  private let bytes: ArraySlice<UInt8>
  private let path: String
  private var position: Int

  init(_ bytes: ArraySlice<UInt8>, path: String) {
    self.bytes = bytes
    self.path = path
    position = bytes.startIndex
  }

  func failure(_ reason: String) -> FileError {
    FileError(path: path, reason: "header byte \(position - bytes.startIndex): \(reason)")
  }

  mutating func expect(_ character: Unicode.Scalar) throws(FileError) {
    guard skip(character) else { throw failure("expected '\(character)'") }
  }

  mutating func skip(_ character: Unicode.Scalar) -> Bool {
    skipSpace()
    guard peek() == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  /// From 0 to Int.max, without a sign and without zeros before it.
  mutating func integer() throws(FileError) -> Int {
    skipSpace()
    let digits = run { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
    guard digits.count == 1 || (digits.count > 1 && digits.first != UInt8(ascii: "0")) else {
      throw failure("expected a non-negative integer")
    }
    guard let value = Int(String(decoding: digits, as: UTF8.self)) else { throw failure("a number beyond \(Int.max)") }
    return value
  }

  mutating func word() -> String {
    skipSpace()
    return String(decoding: run { UInt8(ascii: "A")...UInt8(ascii: "z") ~= $0 }, as: UTF8.self)
  }

  /// Only white space may follow.
  mutating func end() throws(FileError) {
    skipSpace()
    guard position == bytes.endIndex else { throw failure("text after the header's end") }
  }

  mutating func run(while accepts: (UInt8) -> Bool) -> ArraySlice<UInt8> {
    let rest = bytes[position...]
    let run = rest.prefix(while: accepts)
    position = run.endIndex
    return run
  }

  mutating func next() -> UInt8? {
    guard let byte = peek() else { return nil }
    position += 1
    return byte
  }

  private func peek() -> UInt8? { position < bytes.endIndex ? bytes[position] : nil }

  private mutating func skipSpace() {
    while let byte = peek(), byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
  }
}
