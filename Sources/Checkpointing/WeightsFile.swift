import Files
import Formats

/// Weights and running statistics of a file: one of our checkpoints, or a PyTorch state_dict saved as safetensors.
package enum WeightsFile {
  /// All tensors but the optimiser's, in the file's order. Checksums are checked where the file has them.
  package static func read(path: String) throws(CheckpointError) -> [NamedTensor] {
    do throws(FormatError) {
      let file = try SafetensorsFile(path: path)
      if CheckpointFormat.hasChecksums(file) { try CheckpointFormat.verify(file) }
      var tensors: [NamedTensor] = []
      for info in file.tensors where !info.name.hasPrefix("optimizer.") {
        tensors.append(try file.tensor(info.name))
      }
      return tensors
    } catch { throw CheckpointError(path: error.path, reason: error.reason) }
  }
}
