import Configuration
import Files
import Formats
import Models

/// Weights and running statistics of a file: one of our checkpoints, or a PyTorch state_dict saved as safetensors.
package struct WeightsFile: Sendable {
  package let path: String
  /// All tensors but the optimiser's and PyTorch's counters, in the file's order, under the names of the bare model.
  package let tensors: [NamedTensor]
  package let preprocessing: Preprocessing

  /// Checksums are checked where the file has them.
  package init(path: String) throws(FileError) {
    self.path = path
    if path.hasSuffix(".onnx") {
      let file = try GraphFile(path: path)
      tensors = file.tensors
      preprocessing = try Preprocessing(file)
      return
    }
    let file = try SafetensorsFile(path: path)
    if CheckpointFormat.hasChecksums(file) { try CheckpointFormat.verify(file) }
    let names = file.tensors.map(\.name).filter { name in
      // PyTorch counts batches in whatever integer type; no layer here reads the count.
      !name.hasPrefix("optimizer.") && !name.hasSuffix("num_batches_tracked")
    }
    let bare = Self.bare(names)
    var origins: [String: String] = [:]
    var tensors: [NamedTensor] = []
    for (name, short) in zip(names, bare) {
      if let other = origins.updateValue(name, forKey: short) {
        throw FileError(
          path: path,
          reason: "\(quoted(other)) and \(quoted(name)) are both \(quoted(short)) without the names of wrappers; "
            + "save one model's state_dict alone")
      }
      tensors.append(try file.tensor(name).renamed(short))
    }
    self.tensors = tensors
    preprocessing = try Preprocessing(metadata: file.metadata, path: path)
  }

  /// `module._orig_mod.conv1.weight` is `conv1.weight`: DistributedDataParallel's and torch.compile's wrappers have a
  /// part of the name wherever they stand, and what holds the whole model (`model.`, `net.`) has the first part of
  /// every name.
  static func bare(_ names: [String]) -> [String] {
    var parts = names.map { name in
      let parts = name.split(separator: ".", omittingEmptySubsequences: false)
      return parts.filter { $0 != "module" && $0 != "_orig_mod" }[...]
    }
    // A layer's own tensors, as fc.weight and fc.bias, share a first part too.
    while let first = parts.first?.first, parts.allSatisfy({ $0.count >= 3 && $0.first == first }) {
      parts = parts.map { $0.dropFirst() }
    }
    return parts.map { $0.joined(separator: ".") }
  }
}
