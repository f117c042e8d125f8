import Files
import Foundation
import Formats
import Testing

@Suite struct SafetensorsFileTests {
  /// A safetensors file by hand: the length, the header as given, the buffer.
  private func file(_ header: String, buffer: Int = 0, length: UInt64? = nil) -> [UInt8] {
    let header = Array(header.utf8)
    return withUnsafeBytes(of: (length ?? UInt64(header.count)).littleEndian) { Array($0) } + header
      + Array(repeating: 0, count: buffer)
  }

  private func reason(_ bytes: [UInt8]) -> String {
    do {
      _ = try SafetensorsFile(bytes: bytes, path: "test")
      return "accepted"
    } catch { return error.description }
  }

  @Test func `what the Python package wrote reads back`() throws {
    // safetensors 0.8: save({"b": arange(2) f32, "a": arange(3) i64, "é": zeros(()) f32, "c": zeros((0, 2)) u8}, {"k":
    // …})
    let header =
      #"{"__metadata__":{"k":"a\"\\/\n\u0001é"},"a":{"dtype":"I64","shape":[3],"data_offsets":[0,24]},"#
      + #""b":{"dtype":"F32","shape":[2],"data_offsets":[24,32]},"é":{"dtype":"F32","shape":[],"#
      + #""data_offsets":[32,36]},"c":{"dtype":"U8","shape":[0,2],"data_offsets":[36,36]}}  "#
    var bytes = file(header, buffer: 36)
    bytes[bytes.count - 36 + 8] = 1
    bytes.replaceSubrange(bytes.count - 8..<bytes.count - 4, with: [0, 0, 0x80, 0x3F])
    let read = try SafetensorsFile(bytes: bytes, path: "test")
    #expect(read.metadata == ["k": "a\"\\/\n\u{1}é"])
    #expect(read.tensors.map(\.name) == ["a", "b", "é", "c"])
    #expect(try read.integers("a") == [0, 1, 0])
    #expect(try read.floats("b") == [0, 1])
    #expect(try read.floats("é") == [0])
    #expect(read["é"]?.shape == [])
    #expect(try read.integers("c") == [])
    #expect(read["d"] == nil)
  }

  @Test func `every float type converts exactly`() throws {
    let types: [(String, [UInt8])] = [
      ("F16", [0x00, 0x3C, 0x00, 0xC0, 0x01, 0x00]),
      ("BF16", [0x80, 0x3F, 0x00, 0xC0, 0x80, 0x7F]),
      ("F64", [0, 0, 0, 0, 0, 0, 0xF0, 0x3F, 0, 0, 0, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0xF0, 0x7F]),
    ]
    let third: [Float] = [0x1p-24, .infinity, .infinity]
    for ((type, values), last) in zip(types, third) {
      let bytes =
        file(#"{"x":{"dtype":"\#(type)","shape":[3],"data_offsets":[0,\#(values.count)]}}"#) + values
      #expect(try SafetensorsFile(bytes: bytes, path: "test").floats("x") == [1, -2, last])
    }
  }

  @Test func `a wrong type names the tensor, what it is and what was expected`() throws {
    let bytes = file(#"{"x":{"dtype":"I16","shape":[1],"data_offsets":[0,2]}}"#, buffer: 2)
    let read = try SafetensorsFile(bytes: bytes, path: "test")
    let error = #expect(throws: FileError.self) { try read.floats("x") }
    #expect(error?.description == "test: tensor 'x' is I16, expected F32, F64, F16 or BF16")
    #expect(throws: FileError.self) { try read.integers("x") }
    #expect(throws: FileError.self) { try read.floats("y") }
  }

  @Test func `a shape whose product wraps around is refused`() {
    // The product of the shape is 4 modulo 2^64.
    let header =
      #"{"x":{"dtype":"U8","shape":[4194305,4194305,211106198978564],"data_offsets":[0,4]}}"#
    #expect(reason(file(header, buffer: 4)).contains("does not fill its 4 bytes"))
    #expect(
      reason(file(#"{"x":{"dtype":"F64","shape":[2305843009213693952],"data_offsets":[0,0]}}"#)) != "accepted"
    )
  }

  @Test func `a name that occurs twice is refused, at every level`() {
    let entry = #"{"dtype":"U8","shape":[1],"data_offsets":[0,1]}"#
    #expect(reason(file(#"{"x":\#(entry),"x":\#(entry)}"#, buffer: 1)).contains("'x' occurs twice"))
    #expect(reason(file(#"{"x":\#(entry),"\u0078":\#(entry)}"#, buffer: 1)).contains("'x' occurs twice"))
    #expect(reason(file(#"{"__metadata__":{},"__metadata__":{}}"#)).contains("occurs twice"))
    #expect(reason(file(#"{"__metadata__":{"a":"1","a":"2"}}"#)).contains("'a' occurs twice"))
    let shape = #"{"x":{"dtype":"U8","shape":[1],"shape":[1],"data_offsets":[0,1]}}"#
    #expect(reason(file(shape, buffer: 1)).contains("has shape twice"))
  }

  @Test(arguments: [UInt64(1) << 63, .max, 100_000_001, 8 << 30])
  func `a header longer than allowed is refused before anything is allocated`(length: UInt64) {
    #expect(reason(file("{}", length: length)).contains("header length \(length)"))
  }

  @Test func `holes, overlaps, cuts and additions are refused`() {
    func two(_ first: String, _ second: String) -> String {
      #"{"a":{"dtype":"U8","shape":[4],"data_offsets":[\#(first)]},"b":{"dtype":"U8","shape":[4],"#
        + #""data_offsets":[\#(second)]}}"#
    }
    #expect(reason(file(two("0,4", "4,8"), buffer: 8)) == "accepted")
    #expect(reason(file(two("0,4", "5,9"), buffer: 9)).contains("hole"))
    #expect(reason(file(two("0,4", "3,7"), buffer: 8)).contains("overlaps"))
    #expect(reason(file(two("1,5", "5,9"), buffer: 9)).contains("hole"))
    #expect(reason(file(two("0,4", "4,8"), buffer: 7)).contains("cut off"))
    #expect(reason(file(two("0,4", "4,8"), buffer: 9)).contains("follows the last tensor"))
    #expect(reason(file(two("4,0", "4,8"), buffer: 8)).contains("expected [begin, end]"))
    #expect(reason(file("{}", buffer: 1)).contains("follows the last tensor"))
  }

  @Test func `a file cut at any byte is refused`() throws {
    let tensors = [
      NamedTensor("a", shape: [2, 2], floats: [1, 2, 3, 4]), NamedTensor("n", shape: [], integers: [7]),
    ]
    let bytes = SafetensorsWriter.encode(tensors: tensors, metadata: ["k": "v"])
    for count in 0..<bytes.count {
      #expect(throws: FileError.self, "\(count) bytes") {
        try SafetensorsFile(bytes: Array(bytes.prefix(count)), path: "test")
      }
    }
  }

  @Test func `no byte changed in a header ends the program`() {
    let bytes = SafetensorsWriter.encode(
      tensors: [NamedTensor("a", shape: [2], floats: [1, 2])], metadata: ["key": "v\n"])
    for index in bytes.indices {
      for value in UInt8.min ... .max {
        var changed = bytes
        changed[index] = value
        // Some changes give another valid file (a letter of a name); none may trap.
        if let read = try? SafetensorsFile(bytes: changed, path: "test") {
          for tensor in read.tensors { _ = try? read.tensor(tensor.name) }
        }
      }
    }
  }

  @Test(arguments: [
    "", " {}", "[]", "{", #"{"a"}"#, #"{"a":1}"#, #"{"a":{}}"#, "{}{}", "{},", #"{"__metadata__":{"a":1}}"#,
    #"{"__metadata__":null}"#, #"{"a":{"dtype":"F31","shape":[],"data_offsets":[0,4]}}"#,
    #"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#,
    #"{"a":{"dtype":"F32","shape":[01],"data_offsets":[0,4]}}"#,
    #"{"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}}"#,
    #"{"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,4]}}"#,
    #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}}"#,
    #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"more":1}}"#,
    #"{"\uD800":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, #"{"\x":"#, #"{"a"#,
  ])
  func `what is not such a header is refused`(header: String) {
    #expect(reason(file(header, buffer: 4)) != "accepted")
  }

  @Test func `bytes that are not UTF-8 are refused`() {
    var bytes = file(#"{"__metadata__":{"a":"b"}}"#)
    bytes[bytes.count - 4] = 0xFF
    #expect(reason(bytes).contains("UTF-8"))
  }

  @Test func `a hundred thousand brackets overflow no stack`() {
    #expect(reason(file(#"{"a":"# + String(repeating: #"{"a":"#, count: 100_000))) != "accepted")
    #expect(reason(file(#"{"a":"# + String(repeating: "[", count: 100_000))) != "accepted")
  }

  @Test func `a hundred thousand empty tensors are read in linear time`() throws {
    let entries = (0..<100_000).map { #""\#($0)":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}"# }
    let clock = ContinuousClock()
    var count = 0
    let time = try clock.measure {
      count = try SafetensorsFile(bytes: file("{\(entries.joined(separator: ","))}"), path: "test").tensors
        .count
    }
    #expect(count == 100_000)
    // 0.05 s measured; a scan that is quadratic in the names takes minutes.
    #expect(time < .seconds(5))
  }

  @Test func `missing files, directories, pipes and refused links are errors that say so`() throws {
    try SafetensorsSupport.withTemporaryDirectory { directory in
      func reason(_ name: String, followLinks: Bool = true) -> String {
        do {
          _ = try SafetensorsFile(path: "\(directory)/\(name)", followLinks: followLinks)
          return "accepted"
        } catch { return error.reason }
      }
      #expect(reason("none").contains("No such file"))
      #expect(reason("").contains("not a regular file"))
      mkfifo("\(directory)/pipe", 0o600)
      #expect(reason("pipe").contains("not a regular file"))
      try Data(SafetensorsWriter.encode(tensors: [])).write(to: URL(fileURLWithPath: "\(directory)/real"))
      symlink("real", "\(directory)/link")
      #expect(reason("link") == "accepted")
      #expect(reason("link", followLinks: false).contains("symbolic link"))
    }
  }

  @Test func `hostile names cannot write to the terminal`() {
    let message = reason(file(#"{"\u001b[2Jx":{"dtype":"F32","shape":[1],"data_offsets":[0,9]}}"#, buffer: 9))
    #expect(message.unicodeScalars.allSatisfy { $0.value >= 0x20 })
    #expect(message.contains("does not fill"))
  }
}
