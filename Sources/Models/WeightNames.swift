/// Names of weights: of averages beside them, and without those of what wraps a model.
package enum WeightNames {
  /// What tensors of a checkpoint have before their names that the optimiser, or a part of the method, keeps.
  package static let optimizerPrefix = "optimizer."

  /// Whether who reads weights passes the tensor over: one of the optimiser, or PyTorch's count of batches, which no
  /// layer here reads.
  package static func isPassedOver(_ name: String) -> Bool {
    name.hasPrefix(optimizerPrefix) || name.hasSuffix("num_batches_tracked")
  }

  /// What a checkpoint's average of a tensor has before the tensor's name (`training.ema`).
  package static let averagePrefix = "ema."

  /// The tensor of which `name` is the average.
  package static func ofAverage(_ name: String) -> String { String(name.dropFirst(averagePrefix.count)) }

  /// Those of `names` that are averages: of tensors that are there too, since a network may have a part called `ema`.
  package static func averages(among names: some Sequence<String>) -> Set<String> {
    let all = Set(names)
    return all.filter { $0.hasPrefix(averagePrefix) && all.contains(ofAverage($0)) }
  }

  /// `module._orig_mod.conv1.weight` is `conv1.weight`: DistributedDataParallel's and torch.compile's wrappers have a
  /// part of the name wherever they stand, and what holds the whole model (`model.`, `net.`) has the first part of
  /// every name.
  package static func bare(_ names: [String]) -> [String] {
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
