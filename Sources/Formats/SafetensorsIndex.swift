import Files
import Foundation

/// The index of a model in several safetensors files beside it, as Hugging Face's libraries write it:
/// `{"metadata": {...}, "weight_map": {"conv1.weight": "model-00001-of-00002.safetensors", ...}}`.
package struct SafetensorsIndex: Sendable {
  package struct Part: Sendable {
    package let path: String
    /// Its tensors that are the model's.
    package let names: Set<String>
  }

  /// In the order of their names.
  package let parts: [Part]

  /// Whether a file of this name is read as an index.
  package static func isIndex(_ path: String) -> Bool { path.hasSuffix(".json") }

  private struct Contents: Decodable {
    let weight_map: [String: String]
  }

  /// Throws where it is no such index, or names a file that is not beside it.
  package init(path: String) throws(FileError) {
    let bytes = try RegularFile.read(path, limit: SafetensorsFile.headerLimit)
    guard let contents = try? JSONDecoder().decode(Contents.self, from: Data(bytes)), !contents.weight_map.isEmpty
    else {
      throw FileError(
        path: path, reason: "is no index of safetensors files, expected {\"weight_map\": {TENSOR: FILE, ...}}")
    }
    let folder = System.parentDirectory(path)
    var names: [String: Set<String>] = [:]
    for (name, file) in contents.weight_map {
      guard !file.contains("/"), file.hasSuffix(".safetensors") else {
        let advice =
          file.hasSuffix(".bin") ? "; save the model anew: save_pretrained(DIR, safe_serialization=True)" : ""
        throw FileError(
          path: path,
          reason:
            "tensor \(quoted(name)) lies in \(quoted(file)), expected a safetensors file beside the index\(advice)")
      }
      names[file, default: []].insert(name)
    }
    parts = names.sorted { $0.key < $1.key }.map { Part(path: "\(folder)/\($0.key)", names: $0.value) }
  }
}
