import Files

/// The header of a `.npy` file: a dictionary as Python writes it, of which only the one form that NumPy writes is read:
/// `{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }`, the keys in any order.
struct NumpyHeader {
  /// As NumPy.
  private static let dimensionLimit = 64

  let type: NumpyFile.Element
  let shape: [Int]

  init(_ bytes: ArraySlice<UInt8>, path: String) throws(FileError) {
    var cursor = TextCursor(bytes, path: path)
    var type: NumpyFile.Element?
    var inRows: Bool?
    var shape: [Int]?
    try cursor.expect("{")
    while !cursor.skip("}") {
      let key = try cursor.pythonString()
      try cursor.expect(":")
      switch key {
      case "descr" where type == nil: type = try Self.type(&cursor)
      case "fortran_order" where inRows == nil: inRows = try Self.isInRows(&cursor)
      case "shape" where shape == nil: shape = try Self.shape(&cursor)
      case "descr", "fortran_order", "shape": throw cursor.failure("\(quoted(key)) occurs twice")
      default: throw cursor.failure("unknown key \(quoted(key))")
      }
      if !cursor.skip(",") {
        try cursor.expect("}")
        break
      }
    }
    try cursor.end()
    guard let type, inRows != nil, let shape else {
      throw cursor.failure("expected the keys descr, fortran_order and shape")
    }
    self.type = type
    self.shape = shape
  }

  private static func type(_ cursor: inout TextCursor) throws(FileError) -> NumpyFile.Element {
    let text = try cursor.pythonString()
    // One byte has no order, which NumPy writes as "|".
    let order = text.first.map(String.init) ?? ""
    guard let type = NumpyFile.Element(rawValue: String(text.dropFirst())),
      order == "<" || order == "|" && type.size == 1
    else {
      let known = NumpyFile.Element.allCases.map(\.rawValue).joined(separator: ", ")
      throw cursor.failure("elements of type \(quoted(text)), expected little-endian \(known)")
    }
    return type
  }

  private static func isInRows(_ cursor: inout TextCursor) throws(FileError) -> Bool {
    switch cursor.word() {
    case "False": return true
    case "True": throw cursor.failure("the array lies in Fortran's order, expected C's (numpy.ascontiguousarray)")
    default: throw cursor.failure("expected True or False as fortran_order")
    }
  }

  /// `()`, `(5,)`, `(2, 3)`
  private static func shape(_ cursor: inout TextCursor) throws(FileError) -> [Int] {
    var shape: [Int] = []
    try cursor.expect("(")
    while !cursor.skip(")") {
      guard shape.count < dimensionLimit else { throw cursor.failure("more than \(dimensionLimit) dimensions") }
      shape.append(try cursor.integer())
      if !cursor.skip(",") {
        try cursor.expect(")")
        break
      }
    }
    return shape
  }
}

extension TextCursor {
  /// In either of Python's quotes, without escapes.
  fileprivate mutating func pythonString() throws(FileError) -> String {
    let quote: Unicode.Scalar = skip("\"") ? "\"" : "'"
    if quote == "'" { try expect("'") }
    let text = run { $0 != UInt8(ascii: quote) && $0 != UInt8(ascii: "\\") }
    try expect(quote)
    return String(decoding: text, as: UTF8.self)
  }
}
