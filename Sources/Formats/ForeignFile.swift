import Foundation

/// What a file is that is no safetensors file: people have their weights in many forms, and a form has a way out.
enum ForeignFile {
  /// "a Git LFS pointer, ...; fetch the file with `git lfs pull`"; nil of bytes that say nothing.
  static func name(of bytes: [UInt8]) -> String? {
    if bytes.isEmpty { return "an empty one; copy or fetch it again" }
    // A safetensors file that is cut off: its header's length, which may be any of the beginnings below, ends with
    // zeros.
    if bytes.count > 8, bytes[4..<8].allSatisfy({ $0 == 0 }), bytes[8] == UInt8(ascii: "{") { return nil }
    if bytes.starts(with: zip) { return archive(bytes) }
    if let known = beginnings.first(where: { bytes.starts(with: $0.bytes) }) { return known.meaning }
    return text(bytes)
  }

  /// "name a file in it, such as ..." of a run's directory or another; nil where `path` is none.
  static func advice(onDirectory path: String) -> String? {
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory), isDirectory.boolValue else {
      return nil
    }
    let folder = path.hasSuffix("/") ? String(path.dropLast()) : path
    var pickle: String?
    for place in [folder, "\(folder)/checkpoints"] {
      let names = (try? FileManager.default.contentsOfDirectory(atPath: place)) ?? []
      let files = names.filter { $0.hasSuffix(".safetensors") }.sorted()
      pickle = pickle ?? names.sorted().first { name in [".pt", ".pth", ".bin"].contains(where: name.hasSuffix) }
      let whole = files.first { $0 == "best.safetensors" } ?? names.first { $0.hasSuffix(".safetensors.index.json") }
      guard let file = whole ?? files.last else { continue }
      return "name a file in it, such as \(quoted("\(place)/\(file)"))"
    }
    return pickle.map { "it holds \(quoted($0)); \(conversion)" } ?? "name a safetensors file"
  }

  private static let zip: [UInt8] = [0x50, 0x4B, 0x03, 0x04]

  /// A pickle runs what it holds; only PyTorch's own restricted reader is to touch it.
  private static let conversion =
    "convert it with python3 -c 'import sys, torch; from safetensors.torch import save_file; "
    + "d = torch.load(sys.argv[1], map_location=\"cpu\", weights_only=True); "
    + "d = d.get(\"state_dict\", d.get(\"model_state_dict\", d.get(\"model\", d))); "
    + "save_file({k: v.contiguous().clone() for k, v in d.items()}, sys.argv[2])' OLD.pt NEW.safetensors"

  private static let beginnings: [(bytes: [UInt8], meaning: String)] = [
    ([0x80, 0x02], "a pickle, as torch.save wrote it before version 1.6; \(conversion)"),
    ([0x80, 0x03], "a pickle; \(conversion)"),
    ([0x80, 0x04], "a pickle; \(conversion)"),
    ([0x80, 0x05], "a pickle; \(conversion)"),
    ([0x1F, 0x8B], "compressed by gzip; unpack it with `gunzip`"),
    ([0x28, 0xB5, 0x2F, 0xFD], "compressed by zstd; unpack it with `unzstd`"),
    ([0xFD, 0x37, 0x7A, 0x58, 0x5A], "compressed by xz; unpack it with `unxz`"),
    ([0x42, 0x5A, 0x68], "compressed by bzip2; unpack it with `bunzip2`"),
    (
      [0x89, 0x48, 0x44, 0x46], "an HDF5 file, as Keras writes; save the weights under PyTorch's names with safetensors"
    ),
    (
      [0x93] + Array("NUMPY".utf8),
      "a NumPy array; save all arrays of the model in one file with safetensors.numpy.save_file"
    ),
    (Array("GGUF".utf8), "a GGUF file, whose tensors are of language models; save the state_dict with safetensors"),
  ]

  /// torch.save has written zip archives since version 1.6, as NumPy does for several arrays.
  private static func archive(_ bytes: [UInt8]) -> String {
    let names = bytes.prefix(1 << 16)
    if names.firstRange(of: Array("data.pkl".utf8)) != nil { return "a PyTorch archive (torch.save); \(conversion)" }
    if names.firstRange(of: Array(".npy".utf8)) != nil {
      return "a NumPy archive (.npz); save its arrays under PyTorch's names with safetensors.numpy.save_file"
    }
    return "a zip archive; unpack it, or if torch.save wrote it, \(conversion)"
  }

  private static func text(_ bytes: [UInt8]) -> String? {
    var start = bytes.prefix(1 << 12)
    if start.starts(with: [0xEF, 0xBB, 0xBF]) { start = start.dropFirst(3) }
    start = start.drop { [0x20, 0x09, 0x0A, 0x0D].contains($0) }
    if start.starts(with: Array("version https://git-lfs".utf8)) {
      return "a Git LFS pointer, not the file that it stands for; fetch that with `git lfs pull`"
    }
    if start.first == UInt8(ascii: "<") {
      return "an HTML or XML page, such as a server sends in place of a file; download the file itself again"
    }
    guard start.first == UInt8(ascii: "{") else { return nil }
    if bytes.firstRange(of: Array("\"weight_map\"".utf8)) != nil {
      return "the index of a model in several files, whose name must end in .json"
    }
    return "JSON text without tensors; name the safetensors file beside it"
  }
}
