import Configuration
import Files
import Formats
import Models

/// Weights and running statistics of a file: one of our checkpoints, a PyTorch state_dict saved as safetensors, or an
/// ONNX file.
package struct WeightsFile: Sendable {
  package let path: String
  /// All tensors but the optimiser's and PyTorch's counters, in the file's order, under the names of the bare model.
  package let tensors: [NamedTensor]
  package let preprocessing: Preprocessing
  /// What the run that made them was told; nil where the file does not say, or not so that it can be read.
  package let madeBy: RunConfiguration?
  /// Which of the weights these are.
  package let kind: WeightsKind
  /// Whether the file has an average of its weights beside them.
  package let hasAverage: Bool

  /// Checksums are checked where the file has them. Throws where it has no average and `kind` asks for one.
  package init(path: String, kind: WeightsKind = .plain) throws(FileError) {
    self.path = path
    self.kind = kind
    let noAverage = FileError(
      path: path,
      reason: "there is no average of the weights in it (no ema.*): expected a checkpoint of a run with training.ema")
    if path.hasSuffix(".onnx") {
      guard kind == .plain else { throw noAverage }
      hasAverage = false
      let file = try GraphFile(path: path)
      tensors = file.tensors
      preprocessing = try Preprocessing(file)
      madeBy = nil
      return
    }
    let file = try SafetensorsFile(path: path)
    if CheckpointFormat.hasChecksums(file) { try CheckpointFormat.verify(file) }
    let names = file.tensors.map(\.name).filter { name in
      // PyTorch counts batches in whatever integer type; no layer here reads the count.
      !name.hasPrefix("optimizer.") && !name.hasSuffix("num_batches_tracked")
    }
    let averages = WeightNames.averages(among: names)
    hasAverage = !averages.isEmpty
    guard hasAverage || kind == .plain else { throw noAverage }
    let chosen = names.filter { averages.contains($0) == (kind == .ema) }
    let bare = WeightNames.bare(chosen.map { kind == .ema ? WeightNames.ofAverage($0) : $0 })
    var origins: [String: String] = [:]
    var tensors: [NamedTensor] = []
    for (name, short) in zip(chosen, bare) {
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
    madeBy = file.metadata["config"].flatMap { try? RunConfiguration(yaml: $0, name: path, readsData: false) }
  }

  /// What a user has to know of a file that has two kinds of weights; nil where there is no choice. `option`: what
  /// chose.
  package func choice(by option: String) -> String? {
    guard hasAverage else { return nil }
    switch kind {
    case .plain: return "\(path): the weights of its step are taken, not their average (\(option) ema)"
    case .ema: return "\(path): the average of the weights is taken (\(option) ema)"
    }
  }
}

extension RunConfiguration {
  /// The weights that a run of this configuration starts from, and the configuration with what they say of their images
  /// where it leaves that open.
  package func startingPoint() throws(FileError) -> (configuration: RunConfiguration, weights: WeightsFile?) {
    guard let path = model.startingWeights else { return (self, nil) }
    let weights = try WeightsFile(path: path, kind: model.weightsKind)
    return (weights.preprocessing.filling(self), weights)
  }
}
