import Graph
import Operators

/// Batch normalisation, then the sum with a shortcut, then a ReLU: one pass over memory for all that is there of it.
struct BatchNormalizationEnd: FusionRule {
  func apply(to draft: inout Draft) {
    for index in draft.nodes.indices {
      guard let first = draft.nodes[index], var normalization = first.operator as? BatchNormalization else { continue }
      var last = index
      var inputs = first.inputs
      var removed: [Int] = []
      if let sum = draft.onlyReader(of: last), let other = draft.addend(beside: last, in: sum) {
        normalization.hasAddend = true
        inputs.append(other)
        removed.append(last)
        last = sum
      }
      if let relu = draft.onlyReader(of: last), draft.nodes[relu]!.operator is ReLU {
        normalization.relu = true
        removed.append(last)
        last = relu
      }
      guard last != index else { continue }
      draft.replace(last, by: normalization, reading: inputs, removing: removed)
    }
  }
}

extension Draft {
  /// What `sum` adds to `node`, where that is another value of the same shape and `node` stands first: of two that
  /// could take in the sum, the first does.
  func addend(beside node: Int, in sum: Int) -> Int? {
    guard let add = nodes[sum]!.operator as? Add, add.own == nil,
      shapes[nodes[sum]!.inputs[0]] == shapes[nodes[sum]!.inputs[1]]
    else { return nil }
    let inputs = nodes[sum]!.inputs
    if inputs[0] == node { return inputs[1] }
    // The first one is as good a place for the sum, if it can be: it comes first in the list of nodes, or will be
    // asked.
    return takesSums(inputs[0]) ? nil : inputs[0]
  }

  /// Whether a rule may have this node do a sum that alone reads it.
  private func takesSums(_ node: Int) -> Bool {
    guard onlyReader(of: node) != nil else { return false }
    return nodes[node]!.operator is BatchNormalization || nodes[node]!.operator is Convolution
  }
}
