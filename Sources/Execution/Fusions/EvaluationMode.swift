import Graph
import Operators

/// What is there in training alone is left out.
struct EvaluationMode: FusionRule {
  func apply(to draft: inout Draft) {
    for index in draft.nodes.indices where draft.nodes[index]?.operator is any TrainingOnly { draft.bypass(index) }
  }
}
