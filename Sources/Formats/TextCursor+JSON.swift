import Files

/// JSON: objects, strings and arrays of non-negative integers, which is all a safetensors header has.
extension TextCursor {
  /// `{"key": <member>, ...}`; `member` reads the value of each key.
  mutating func object(
    _ member: (inout TextCursor, String) throws(FileError) -> Void
  ) throws(FileError) {
    try expect("{")
    if skip("}") { return }
    repeat {
      let key = try string()
      try expect(":")
      try member(&self, key)
    } while skip(",")
    try expect("}")
  }

  /// `[1, 2, 3]`, each from 0 to Int.max. At most `limit` of them: eight bytes for a digit and its comma would be four
  /// times the file.
  mutating func integers(limit: Int) throws(FileError) -> [Int] {
    var values: [Int] = []
    try expect("[")
    if skip("]") { return values }
    repeat {
      guard values.count < limit else { throw failure("a list of more than \(limit) numbers") }
      values.append(try integer())
    } while skip(",")
    try expect("]")
    return values
  }

  mutating func string() throws(FileError) -> String {
    try expect("\"")
    var text: [UInt8] = []
    while let byte = next() {
      switch byte {
      case UInt8(ascii: "\""):
        guard let string = String(validating: text, as: UTF8.self) else {
          throw failure("the string before is not UTF-8")
        }
        return string
      case UInt8(ascii: "\\"): try text.append(contentsOf: String(escape()).utf8)
      case 0..<0x20: throw failure("a control character in a string")
      default: text.append(byte)
      }
    }
    throw failure("the header ends inside a string")
  }

  /// What follows a backslash; `\uD83D\uDE00` is one scalar in two halves.
  private mutating func escape() throws(FileError) -> Unicode.Scalar {
    switch next() {
    case UInt8(ascii: "\""): return "\""
    case UInt8(ascii: "\\"): return "\\"
    case UInt8(ascii: "/"): return "/"
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{C}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"):
      let first = try hexadecimal()
      if let scalar = Unicode.Scalar(first) { return scalar }
      guard first < 0xDC00, next() == UInt8(ascii: "\\"), next() == UInt8(ascii: "u") else {
        throw failure("half of a surrogate pair")
      }
      let second = try hexadecimal()
      guard 0xDC00..<0xE000 ~= second,
        let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
      else { throw failure("half of a surrogate pair") }
      return scalar
    default: throw failure("an unknown escape")
    }
  }

  private mutating func hexadecimal() throws(FileError) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = next(), let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw failure("expected four hexadecimal digits")
      }
      value = value << 4 | UInt32(digit)
    }
    return value
  }
}
