import Files
import Formats
import Graph
import Runtime

/// A name that a foreign file gave, short and harmless; one of ours as it is.
private func shown(_ name: String) -> String {
  name.utf8.count <= 200 && name.utf8.allSatisfy(\.isNameCharacter) ? name : quoted(name)
}

/// Weights that are not finite give figures that mean nothing, or show nothing after a ReLU.
package func checkFinite(_ values: [Float], of name: String, path: String) throws(FileError) {
  guard let index = values.firstIndex(where: { !$0.isFinite }) else { return }
  throw FileError(path: path, reason: "\(name): value \(index) is \(values[index]), expected finite values")
}

extension ModelState {
  /// Parameters and running statistics under PyTorch's names, convolution filters OIHW.
  package var namedTensors: [NamedTensor] {
    func tensors(_ entries: [ParameterLayout.Entry], _ block: UnsafeMutableBufferPointer<Float>) -> [NamedTensor] {
      entries.map { NamedTensor($0.name, shape: $0.shape, floats: Array(block[$0.range])) }
    }
    return tensors(layout.parameters, parameters.values) + tensors(layout.statistics, statistics.values)
  }

  /// Takes its values from `tensors`, PyTorch's or a checkpoint's. PyTorch's counters `num_batches_tracked` and a
  /// checkpoint's `optimizer.` tensors do not count, nor do branches that the model does not have; anything else must
  /// be of this architecture and finite, or nothing is changed. With a new `head` that keeps its values, and what the
  /// file has in its place does not count.
  package func load(_ tensors: [NamedTensor], from path: String, head: ModelHead = .keep) throws(FileError) {
    let all = layout.parameters + layout.statistics
    let headNames = Set(network.head)
    let entries = head == .new ? all.filter { !headNames.contains($0.name) } : all
    func advice(_ name: String) -> String {
      headNames.contains(name) ? "; 'model.head: new' draws this layer afresh" : ""
    }
    var found: [String: NamedTensor] = [:]
    for tensor in tensors { found[tensor.name] = tensor }
    // A model of a file may have a part of the name of its own that a reader of weights took for a wrapper's.
    var names = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0.name) })
    if !entries.contains(where: { found[$0.name] != nil }) {
      let trunk = names.keys.filter { !Network.isBranchParameter($0) }
      for (name, bare) in zip(trunk, WeightNames.bare(trunk)) { names[name] = bare }
    }
    var missing: String?
    for entry in entries {
      guard let tensor = found[names[entry.name]!] else {
        missing =
          missing
          ?? "there is no \(shown(entry.name)), which the model has with shape \(entry.shape)" + advice(entry.name)
        continue
      }
      guard tensor.shape == entry.shape else {
        throw FileError(
          path: path,
          reason: "\(shown(entry.name)) has shape \(tensor.shape), the model's has \(entry.shape)" + advice(entry.name))
      }
      guard let values = tensor.floats else {
        throw FileError(path: path, reason: "\(shown(entry.name)) does not hold floats")
      }
      try checkFinite(values, of: shown(entry.name), path: path)
      if entry.name.hasSuffix(".running_var"), let index = values.firstIndex(where: { $0 < 0 }) {
        throw FileError(
          path: path,
          reason: "\(shown(entry.name)): value \(index) is \(values[index]), and a variance is never negative")
      }
    }
    if let missing { throw FileError(path: path, reason: missing) }
    let known = Set(names.values)
    for tensor in tensors
    where !known.contains(tensor.name) && !WeightNames.isPassedOver(tensor.name)
      && !Network.isBranchParameter(tensor.name)
    {
      throw FileError(
        path: path, reason: "\(shown(tensor.name)) of shape \(tensor.shape) has no place in the model")
    }
    let taken = Set(entries.map(\.name))
    for (entries, block) in [(layout.parameters, parameters), (layout.statistics, statistics)] {
      for entry in entries where taken.contains(entry.name) {
        _ = block.values[entry.range].update(fromContentsOf: found[names[entry.name]!]!.floats!)
      }
    }
  }
}
