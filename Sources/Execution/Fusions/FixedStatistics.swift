import Graph
import Operators

/// A batch normalisation whose statistics `Network.freeze` fixes goes by the running ones in training, too.
struct FixedStatistics: FusionRule {
  func apply(to draft: inout Draft) {
    guard draft.freeze.fixesStatistics else { return }
    for index in draft.nodes.indices {
      guard let node = draft.nodes[index], var normalization = node.operator as? BatchNormalization,
        draft.freeze.fixesStatistics(of: normalization.variables(of: [draft.shapes[node.inputs[0]]]))
      else { continue }
      normalization.isFixed = true
      draft.replace(index, by: normalization, reading: node.inputs, removing: [])
    }
  }
}
