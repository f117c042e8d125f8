import Files
import Formats
import Foundation
import TestSupport
import Testing

/// Weights in other forms are named for what they are, with the way out.
@Suite struct `Files that are no safetensors file` {
  static let forms: [(bytes: [UInt8], says: String)] = [
    (
      Array("PK\u{3}\u{4}\0\0\u{8}\u{8}\0\0archive/data.pkl".utf8),
      "a PyTorch archive (torch.save); convert it with python3 -c '"
    ),
    (
      [0x80, 0x02, 0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9],
      "a pickle, as torch.save wrote it before version 1.6; convert"
    ),
    ([0x80, 0x04, 0x95, 0x10, 0, 0, 0, 0, 0], "a pickle; convert it"),
    (Array("PK\u{3}\u{4}-\0\0\0\0\0fc.weight.npy".utf8), "a NumPy archive (.npz)"),
    (Array("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n".utf8), "a Git LFS pointer"),
    (Array("\n<!DOCTYPE html><title>Sign in</title>".utf8), "an HTML or XML page"),
    (
      Array("{\"metadata\": {}, \"weight_map\": {\"a\": \"b\"}}".utf8),
      "the index of a model in several files, whose name must end in .json"
    ),
    (Array("{\"a\": 1234567}".utf8), "JSON text without tensors"),
    ([0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0], "compressed by gzip; unpack it with `gunzip`"),
    ([0x89] + Array("HDF\r\n\u{1a}\n\0".utf8), "an HDF5 file"),
    ([0x93] + Array("NUMPY\u{1}\0v\0".utf8), "a NumPy array"),
    ([], "an empty one"),
  ]

  @Test(arguments: forms) func `each form is named`(form: (bytes: [UInt8], says: String)) {
    let error = #expect(throws: FileError.self) { try SafetensorsFile(bytes: form.bytes, path: "x.pt") }
    #expect(error?.description.hasPrefix("x.pt: not a safetensors file, but \(form.says)") == true, "\(error as Any)")
    #expect(error?.description.contains("\n") == false)
  }

  /// The header's length may have the bytes of any of them.
  @Test(arguments: [0x280, 0x480, 0x8B1F, 0x04034B50]) func `a safetensors file that is cut off is called so`(
    length: UInt64
  ) {
    let bytes = withUnsafeBytes(of: length.littleEndian) { Array($0) } + Array("{\"fc.weight\":".utf8)
    let error = #expect(throws: FileError.self) { try SafetensorsFile(bytes: bytes, path: "x") }
    #expect(error?.reason.hasPrefix("cut off: the header ends at byte \(length + 8)") == true, "\(error as Any)")
  }

  @Test func `a directory is named as one, with a file that may have been meant`() throws {
    let folder = try TemporaryDirectory()
    func reason() -> String? {
      #expect(throws: FileError.self) { try SafetensorsFile(path: folder.path) }?.reason
    }
    #expect(reason() == "not a regular file but a directory; name a safetensors file")
    try folder.write("", to: "pytorch_model.bin")
    #expect(
      reason()?.hasPrefix("not a regular file but a directory; it holds 'pytorch_model.bin'; convert it with python3")
        == true)
    try folder.write("", to: "checkpoints/step-0000001.safetensors")
    try folder.write("", to: "checkpoints/best.safetensors")
    #expect(reason()?.hasSuffix("name a file in it, such as '\(folder.path)/checkpoints/best.safetensors'") == true)
  }

  @Test func `a float64 that float32 cannot hold is refused with its place, and an infinity is one`() throws {
    func file(_ values: [Double]) throws -> SafetensorsFile {
      let header = Array(
        "{\"w\":{\"dtype\":\"F64\",\"shape\":[\(values.count)],\"data_offsets\":[0,\(8 * values.count)]}}".utf8)
      let length = withUnsafeBytes(of: UInt64(header.count).littleEndian) { Array($0) }
      return try SafetensorsFile(bytes: length + header + values.withUnsafeBytes { Array($0) }, path: "x")
    }
    #expect(try file([1, -.infinity, 1e-300]).floats("w") == [1, -.infinity, 0])
    let error = #expect(throws: FileError.self) { try file([1, .infinity, -1e39]).floats("w") }
    #expect(error?.reason == "tensor 'w': value 2 is -1e+39, which float32 cannot hold")
  }
}
