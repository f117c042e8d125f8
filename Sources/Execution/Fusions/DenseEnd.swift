import Graph
import Operators

/// A dense layer and its ReLU.
struct DenseEnd: FusionRule {
  func apply(to draft: inout Draft) {
    for index in draft.nodes.indices {
      guard let first = draft.nodes[index], var dense = first.operator as? Dense,
        let relu = draft.onlyReader(of: index), draft.nodes[relu]!.operator is ReLU
      else { continue }
      dense.relu = true
      draft.replace(relu, by: dense, reading: first.inputs, removing: [index])
    }
  }
}
