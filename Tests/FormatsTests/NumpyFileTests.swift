import Files
import Formats
import Foundation
import TestSupport
import Testing

@Suite struct NumpyFileTests {
  private let folder: TemporaryDirectory

  init() throws { folder = try TemporaryDirectory() }

  private static let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }"

  /// A file as NumPy writes it, header and all, without its padding.
  private static func bytes(_ header: String, _ data: [UInt8], version: UInt8 = 1) -> [UInt8] {
    let length = UInt32(header.utf8.count)
    let size = (0..<(version == 1 ? 2 : 4)).map { UInt8(truncatingIfNeeded: length >> (8 * UInt32($0))) }
    return [0x93] + Array("NUMPY".utf8) + [version, 0] + size + Array(header.utf8) + data
  }

  private func file(_ bytes: [UInt8]) throws -> NumpyFile {
    let path = folder.path("a.npy")
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    return try NumpyFile(path: path)
  }

  private func littleEndian<Value>(_ values: [Value]) -> [UInt8] { values.withUnsafeBytes { Array($0) } }

  @Test(arguments: [1, 2, 3] as [UInt8])
  func `versions 1 to 3 are read`(version: UInt8) throws {
    let values: [Float] = [0, 1, -2.5, 3, .infinity, 1e-30]
    let file = try file(Self.bytes(Self.header, littleEndian(values), version: version))
    #expect(file.shape == [2, 3] && file.count == 6 && file.type == .f4)
    #expect((0..<6).map(file.number) == values.map(Double.init))
    #expect(file.withBytes { Array($0) } == littleEndian(values))
  }

  @Test func `each type keeps its extreme values`() throws {
    func read(_ type: String, _ data: [UInt8], _ count: Int) throws -> NumpyFile {
      try file(Self.bytes("{'shape': (\(count),), 'fortran_order': False, 'descr': '\(type)'}", data))
    }
    let u1 = try read("|u1", [0, 255], 2)
    #expect((0..<2).map(u1.integer) == [0, 255])
    let i1 = try read("|i1", littleEndian([Int8.min, .max]), 2)
    #expect((0..<2).map(i1.integer) == [-128, 127])
    let i2 = try read("<i2", littleEndian([Int16.min, .max]), 2)
    #expect((0..<2).map(i2.integer) == [-32768, 32767])
    let u2 = try read("<u2", littleEndian([UInt16.min, .max]), 2)
    #expect((0..<2).map(u2.integer) == [0, 65535])
    let u4 = try read("<u4", littleEndian([UInt32.min, .max]), 2)
    #expect((0..<2).map(u4.integer) == [0, 4_294_967_295])
    let u8 = try read("<u8", littleEndian([UInt64.min, .max]), 2)
    #expect((0..<2).map(u8.integer) == [0, Int.max] && u8.number(1) == 0x1p64)
    let i4 = try read("<i4", littleEndian([Int32.min, .max]), 2)
    #expect((0..<2).map(i4.integer) == [Int(Int32.min), Int(Int32.max)])
    let i8 = try read("<i8", littleEndian([Int64.min, .max]), 2)
    #expect((0..<2).map(i8.integer) == [Int.min, Int.max])
    let f8 = try read("<f8", littleEndian([1.0 / 3, -.infinity]), 2)
    #expect((0..<2).map(f8.number) == [1.0 / 3, -.infinity])
  }

  @Test func `no dimensions are one value, and a size of 0 is none`() throws {
    let one = try file(Self.bytes("{'descr': '<i2', 'fortran_order': False, 'shape': ()}", [7, 0]))
    #expect(one.shape == [] && one.count == 1 && one.integer(0) == 7)
    let none = try file(
      Self.bytes("{'descr': '<i2', 'fortran_order': False, 'shape': (9223372036854775807, 9, 0)}", []))
    #expect(none.count == 0)
  }

  @Test(arguments: [
    ("<f4", "<f4x", "elements of type '<f4x', expected little-endian u1, u2, u4, u8, i1, i2, i4, i8, f4, f8"),
    ("<f4", ">f4", "elements of type '>f4'"), ("<f4", "|f4", "elements of type '|f4'"),
    ("<f4", "", "elements of type ''"), ("'<f4'", "[('a', '<f4')]", "byte 10: expected '''"),
    ("False", "True", "the array lies in Fortran's order"), ("False", "0", "expected True or False"),
    ("(2, 3)", "(2, -3)", "expected a size"), ("(2, 3)", "(2, 3", "expected a size"),
    ("(2, 3)", "(2 3)", "expected ')'"), ("(2, 3)", "2", "expected '('"),
    ("(2, 3)", "(99999999999999999999,)", "expected a size"),
    ("(2, 3)", "(4294967296, 4294967296)", "the header's sizes 4294967296 x 4294967296 are impossible"),
    ("(2, 3)", "(2, 4)", "24 bytes after the header, expected 32 for 2 x 4 elements of 4"),
    ("(2, 3)", "(2, 2)", "24 bytes after the header, expected 16 for 2 x 2 elements of 4"),
    ("(2, 3)", "(" + String(repeating: "1,", count: 65) + ")", "more than 64 dimensions"),
    ("'shape'", "'descr'", "'descr' occurs twice"), ("'shape'", "'form'", "unknown key 'form'"),
    ("'shape': (2, 3), ", "", "expected the keys descr, fortran_order and shape"),
    ("}", "} x", "expected nothing after the dictionary"), ("}", "", "expected '''"), ("{", "", "expected '{'"),
    ("'shape'", "'sha", "byte 56: expected '''"), ("'descr'", "descr", "expected '''"),
    ("'descr'", "'de\\scr'", "expected '''"),
  ])
  func `a wrong header is refused, with the place`(part: String, replacement: String, message: String) throws {
    let header = Self.header.replacingOccurrences(of: part, with: replacement)
    let error = #expect(throws: FormatError.self) {
      try file(Self.bytes(header, [UInt8](repeating: 0, count: 24)))
    }
    #expect(error?.description.hasPrefix(folder.path("a.npy: ")) == true)
    #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
  }

  @Test func `a wrong beginning is refused`() throws {
    let whole = Self.bytes(Self.header, [UInt8](repeating: 0, count: 24))
    func message(_ bytes: [UInt8]) throws -> String {
      let error = #expect(throws: FormatError.self) { try file(bytes) }
      return error?.reason ?? ""
    }
    #expect(try message([]).hasPrefix("does not start as a .npy file"))
    #expect(try message([0x93] + Array("NUMPZ".utf8) + whole.dropFirst(6)).hasPrefix("does not start as"))
    #expect(try message(Array(whole.prefix(9))).hasPrefix("does not start as"))
    #expect(
      try message(Array(whole.prefix(6)) + [4] + whole.dropFirst(7))
        == "version 4.0 of the .npy format, expected 1, 2 or 3")
    #expect(try message(Array(whole.prefix(40))) == "a header of \(Self.header.utf8.count) bytes in a file of 40")
    #expect(
      try message(Array(whole.prefix(8)) + [255, 255] + whole.dropFirst(10))
        == "a header of 65535 bytes in a file of \(whole.count)")
    #expect(try message(Self.bytes(Self.header + String(repeating: " ", count: 10_000), [])).contains("at most 10000"))
    #expect(try message(Array(Self.bytes("", [], version: 2).prefix(11))).contains("in a file of 11"))
    // Every file that is cut short.
    for count in 0..<whole.count { _ = try message(Array(whole.prefix(count))) }
  }

  @Test func `NumPy's own files are read`() throws {
    guard let python = SafetensorsSupport.python(importing: "numpy") else {
      print("SKIPPED: no python3 with numpy")
      return
    }
    let script = """
      import numpy, sys
      numpy.save(sys.argv[1], (numpy.arange(24).reshape(2, 3, 4) - 5).astype(sys.argv[2]))
      """
    for type in NumpyFile.Element.allCases where !type.rawValue.hasPrefix("u") {
      let path = folder.path("\(type.rawValue).npy")
      let outcome = try #require(SafetensorsSupport.runPython(python, script, [path, type.rawValue]))
      try #require(outcome.status == 0, "\(outcome.output)")
      let file = try NumpyFile(path: path)
      #expect(file.shape == [2, 3, 4] && file.type == type)
      #expect((0..<24).map(file.number) == (0..<24).map { Double($0) - 5 })
    }
  }
}
