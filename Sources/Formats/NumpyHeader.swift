import Files

/// The header of a `.npy` file: a dictionary as Python writes it, of which only the one form that NumPy writes is read:
/// `{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }`, the keys in any order.
struct NumpyHeader {
  /// As NumPy.
  private static let dimensionLimit = 64

  let type: NumpyFile.Element
  let shape: [Int]

  init(_ bytes: ArraySlice<UInt8>, path: String) throws(FormatError) {
    var scanner = Scanner(bytes, path: path)
    var type: NumpyFile.Element?
    var inRows: Bool?
    var shape: [Int]?
    try scanner.expect("{")
    while !scanner.take("}") {
      let key = try scanner.string()
      try scanner.expect(":")
      switch key {
      case "descr" where type == nil: type = try Self.type(&scanner)
      case "fortran_order" where inRows == nil: inRows = try Self.isInRows(&scanner)
      case "shape" where shape == nil: shape = try Self.shape(&scanner)
      case "descr", "fortran_order", "shape": throw scanner.failure("\(quoted(key)) occurs twice")
      default: throw scanner.failure("unknown key \(quoted(key))")
      }
      if !scanner.take(",") {
        try scanner.expect("}")
        break
      }
    }
    guard scanner.isAtEnd else { throw scanner.failure("expected nothing after the dictionary") }
    guard let type, inRows != nil, let shape else {
      throw scanner.failure("expected the keys descr, fortran_order and shape")
    }
    self.type = type
    self.shape = shape
  }

  private static func type(_ scanner: inout Scanner) throws(FormatError) -> NumpyFile.Element {
    let text = try scanner.string()
    // One byte has no order, which NumPy writes as "|".
    let order = text.first.map(String.init) ?? ""
    guard let type = NumpyFile.Element(rawValue: String(text.dropFirst())),
      order == "<" || order == "|" && type.size == 1
    else {
      let known = NumpyFile.Element.allCases.map(\.rawValue).joined(separator: ", ")
      throw scanner.failure("elements of type \(quoted(text)), expected little-endian \(known)")
    }
    return type
  }

  private static func isInRows(_ scanner: inout Scanner) throws(FormatError) -> Bool {
    switch scanner.word() {
    case "False": return true
    case "True": throw scanner.failure("the array lies in Fortran's order, expected C's (numpy.ascontiguousarray)")
    default: throw scanner.failure("expected True or False as fortran_order")
    }
  }

  /// `()`, `(5,)`, `(2, 3)`
  private static func shape(_ scanner: inout Scanner) throws(FormatError) -> [Int] {
    var shape: [Int] = []
    try scanner.expect("(")
    while !scanner.take(")") {
      guard shape.count < dimensionLimit else { throw scanner.failure("more than \(dimensionLimit) dimensions") }
      shape.append(try scanner.integer())
      if !scanner.take(",") {
        try scanner.expect(")")
        break
      }
    }
    return shape
  }

  /// Goes through the header's bytes; blanks count for nothing.
  private struct Scanner {
    private let bytes: ArraySlice<UInt8>
    private let path: String
    private var at: Int

    init(_ bytes: ArraySlice<UInt8>, path: String) {
      self.bytes = bytes
      self.path = path
      at = bytes.startIndex
    }

    func failure(_ reason: String) -> FormatError {
      FormatError(path: path, reason: "header, byte \(at): \(reason)")
    }

    private mutating func skipBlanks() {
      while at < bytes.endIndex, bytes[at] == UInt8(ascii: " ") || bytes[at] == UInt8(ascii: "\n") { at += 1 }
    }

    var isAtEnd: Bool {
      mutating get {
        skipBlanks()
        return at == bytes.endIndex
      }
    }

    mutating func take(_ character: Unicode.Scalar) -> Bool {
      skipBlanks()
      guard at < bytes.endIndex, bytes[at] == UInt8(ascii: character) else { return false }
      at += 1
      return true
    }

    mutating func expect(_ character: Unicode.Scalar) throws(FormatError) {
      guard take(character) else { throw failure("expected '\(character)'") }
    }

    private mutating func run(while accepts: (UInt8) -> Bool) -> String {
      let start = at
      while at < bytes.endIndex, accepts(bytes[at]) { at += 1 }
      return String(decoding: bytes[start..<at], as: UTF8.self)
    }

    mutating func word() -> String {
      skipBlanks()
      return run { UInt8(ascii: "A")...UInt8(ascii: "z") ~= $0 }
    }

    /// In either of Python's quotes, without escapes.
    mutating func string() throws(FormatError) -> String {
      let quote: Unicode.Scalar = take("\"") ? "\"" : "'"
      if quote == "'" { try expect("'") }
      let text = run { $0 != UInt8(ascii: quote) && $0 != UInt8(ascii: "\\") }
      try expect(quote)
      return text
    }

    mutating func integer() throws(FormatError) -> Int {
      skipBlanks()
      let digits = run { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
      guard let value = Int(digits) else { throw failure("expected a size") }
      return value
    }
  }
}
