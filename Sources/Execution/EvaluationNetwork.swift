import Graph
import Kernels

/// A network as evaluation mode has it, in plain operators again: dropout is left out, batch normalisation is part of
/// the convolution before it, or a scale and a shift by channel. What is exported for others to run.
package struct EvaluationNetwork: Sendable {
  package let network: Network
  private let foldings: [Folding]

  package init(_ network: Network) {
    let trunk = network.trunk
    var draft = Draft(trunk, kept: [trunk.output])
    for rule in [EvaluationMode(), FoldedBatchNormalization()] as [any FusionRule] { rule.apply(to: &draft) }
    foldings = draft.foldings
    var result = Network(input: trunk.input)
    var places = [0: 0]
    for (index, node) in draft.nodes.enumerated().dropFirst() {
      guard let node else { continue }
      do {
        places[index] = try result.append(node.operator, named: node.name, reading: node.inputs.map { places[$0]! })
      } catch {
        preconditionFailure("\(error)")
      }
    }
    result.endTrunk(logits: places[trunk.output]!, features: places[trunk.features] ?? places[trunk.output]!)
    self.network = result
  }

  /// Its weights, of those of the whole network, in the same places.
  package func weights(
    _ layout: ParameterLayout, parameters: UnsafePointer<Float>, statistics: UnsafePointer<Float>
  ) -> Tensor {
    let weights = Tensor(count: layout.parameterCount)
    weights.pointer.update(from: parameters, count: layout.parameterCount)
    for folding in foldings { folding.apply(layout, parameters, statistics, to: weights.pointer) }
    return weights
  }
}
