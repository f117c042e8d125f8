import Formats
import Foundation
import Testing

@Suite struct SafetensorsWriterTests {
  private let sixValues: [Float] = [0, 1, 2, 3, 4, 5]

  @Test func `the empty file is sixteen bytes`() {
    #expect(
      SafetensorsWriter.encode(tensors: []) == [8, 0, 0, 0, 0, 0, 0, 0, 0x7B, 0x7D]
        + Array(repeating: 0x20, count: 6))
  }

  @Test func `one tensor gives the bytes of the Python package`() {
    let header = #"{"attn.0":{"dtype":"F32","shape":[1,2,3],"data_offsets":[0,24]}}"#
    let expected =
      [64, 0, 0, 0, 0, 0, 0, 0] + Array(header.utf8)
      + sixValues.flatMap { value in
        withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) }
      }
    #expect(
      SafetensorsWriter.encode(tensors: [.init("attn.0", shape: [1, 2, 3], floats: sixValues)]) == expected)
  }

  @Test func `the header is padded with spaces to a multiple of eight`() {
    let bytes = SafetensorsWriter.encode(tensors: [.init("attn0", shape: [1, 1, 2, 3], floats: sixValues)])
    #expect(bytes[0] == 72)
    #expect(Array(bytes[8 + 65..<80]) == Array(repeating: 0x20, count: 7))
  }

  @Test func `wider types come first, then names by their bytes`() throws {
    let tensors = [
      NamedTensor("b", shape: [1], floats: [1]), NamedTensor("é", shape: [1], floats: [2]),
      NamedTensor("Z", shape: [1], floats: [3]), NamedTensor("z", shape: [1], integers: [4]),
    ]
    let bytes = SafetensorsWriter.encode(tensors: tensors)
    #expect(try SafetensorsFile(bytes: bytes, path: "test").tensors.map(\.name) == ["z", "Z", "b", "é"])
  }

  @Test func `what is written reads back, special values and odd strings too`() throws {
    let floats: [Float] = [-0.0, .infinity, .leastNonzeroMagnitude, .greatestFiniteMagnitude]
    let metadata = ["quote\"": "back\\slash", "newline": "\n\t\r\u{8}\u{C}\u{0}\u{1F}", "wide": "é😀", "": ""]
    let tensors = [
      NamedTensor("floats", shape: [2, 2], floats: floats), NamedTensor("empty", shape: [0, 3], floats: []),
      NamedTensor("scalar", shape: [], integers: [.min]),
    ]
    let read = try SafetensorsFile(
      bytes: SafetensorsWriter.encode(tensors: tensors, metadata: metadata), path: "test")
    #expect(read.metadata == metadata)
    for tensor in tensors { #expect(try read.tensor(tensor.name) == tensor) }
  }

  @Test func `Python reads our files and writes the same bytes`() throws {
    guard let python = SafetensorsSupport.python(importing: "numpy, safetensors") else {
      print(
        "SKIPPED: no Python with safetensors (set ICP_PYTHON); our files were not opened with the package")
      return
    }
    let script = """
      import sys, numpy as np
      from safetensors import safe_open
      from safetensors.numpy import save, load_file
      path = sys.argv[1]
      tensors = load_file(path)
      assert tensors["w"].dtype == np.float32 and tensors["w"].tolist() == [[0, 1, 2], [3, 4, 5]], tensors
      assert tensors["é.n"].dtype == np.int64 and tensors["é.n"].tolist() == [-1, 7], tensors
      assert tensors["s"].shape == (), tensors
      with safe_open(path, "np") as file: metadata = file.metadata()
      assert metadata == {"config": 'a: "1"\\n'}, metadata
      assert save(tensors, metadata) == open(path, "rb").read(), "bytes differ"
      print("same")
      """
    try SafetensorsSupport.withTemporaryDirectory { directory in
      let tensors = [
        NamedTensor("w", shape: [2, 3], floats: sixValues),
        NamedTensor("é.n", shape: [2], integers: [-1, 7]),
        NamedTensor("s", shape: [], floats: [0.1]), NamedTensor("none", shape: [0, 4], floats: []),
      ]
      let path = "\(directory)/ours.safetensors"
      let bytes = SafetensorsWriter.encode(tensors: tensors, metadata: ["config": "a: \"1\"\n"])
      try Data(bytes).write(to: URL(fileURLWithPath: path))
      let result = try #require(SafetensorsSupport.runPython(python, script, [path]))
      #expect(result.output == "same\n")
    }
  }

  @Test func `the golden files read whole`() throws {
    let shared = URL(fileURLWithPath: #filePath).appending(path: "../../../../shared/golden")
      .standardizedFileURL
    let files =
      (try? FileManager.default.contentsOfDirectory(at: shared, includingPropertiesForKeys: nil)) ?? []
    let safetensors = files.filter { $0.pathExtension == "safetensors" }
    if safetensors.isEmpty { print("SKIPPED: no files under \(shared.path); the golden files were not read") }
    for url in safetensors {
      let file = try SafetensorsFile(path: url.path)
      #expect(!file.tensors.isEmpty)
      for tensor in file.tensors { #expect(try file.tensor(tensor.name).shape == tensor.shape) }
    }
  }

  @Test func `checksums are zlib's`() {
    #expect(Checksum.crc32(Array("123456789".utf8)) == 0xCBF4_3926)
    #expect(Checksum.crc32([] as [UInt8]) == 0)
    #expect(Checksum.hexadecimal(0xA1) == "000000a1")
    #expect(Checksum.hexadecimal(.max) == "ffffffff")
  }
}
