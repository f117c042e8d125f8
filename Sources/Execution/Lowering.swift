import Graph
import Operators

/// A network lowered: fused, with orders of axes chosen and reorders put where operators do not agree.
package struct Lowering: Sendable {
  /// What a network is lowered for.
  package enum Use: Sendable {
    /// Batch statistics, random masks, gradients of the parameters.
    case training
    /// Evaluation mode: batch normalisation is folded into weights, samples do not depend on each other.
    case frozen

    /// In the order they are applied.
    var rules: [any FusionRule] {
      switch self {
      case .training:
        [
          FixedStatistics(), ActivationPieces(), LayerNormalizationPieces(), BatchNormalizationEnd(), ConvolutionEnd(),
          DenseEnd(),
        ]
      case .frozen:
        [
          EvaluationMode(), ActivationPieces(), LayerNormalizationPieces(), FoldedBatchNormalization(),
          ConvolutionEnd(),
          DenseEnd(),
        ]
      }
    }
  }

  package let program: Program
  package let foldings: [Folding]

  /// `kept`: nodes whose outputs somebody looks at.
  package init(_ network: Network, use: Lowering.Use, kept: [Int]) {
    var draft = Draft(network, kept: Set(kept))
    for rule in use.rules { rule.apply(to: &draft) }
    foldings = draft.foldings
    program = Self.layOut(draft)
  }

  /// Whether a step's output is the caller's images.
  private static func isInput(_ step: Int, _ steps: [Program.Step]) -> Bool {
    step == 0 || steps[step].isView && isInput(steps[step].inputs[0], steps)
  }

  private static func layOut(_ draft: Draft) -> Program {
    var steps: [Program.Step] = []
    var places: [Int: Int] = [:]
    /// Reorders that are there already.
    var reordered: [[Int]: Int] = [:]
    for (index, node) in draft.nodes.enumerated() {
      guard let node else { continue }
      var inputs = node.inputs.map { places[$0]! }
      let values = inputs.map { steps[$0].output }
      let shape: SampleShape
      do {
        shape = try node.operator.shape(of: values.map(\.shape))
      } catch {
        preconditionFailure("\(node.name): \(error)")
      }
      let choice = node.operator.layout(of: values, output: shape)
      for (input, order) in choice.inputs.enumerated()
      where !values[input].order.matches(order, for: values[input].shape) {
        let key = [inputs[input]] + order.axes
        if let known = reordered[key] {
          inputs[input] = known
          continue
        }
        var value = values[input]
        value.order = order
        steps.append(
          Program.Step(
            name: "\(node.name).reorder\(input)", operator: Reorder(order), inputs: [inputs[input]], output: value,
            isView: false))
        inputs[input] = steps.count - 1
        reordered[key] = steps.count - 1
      }
      steps.append(
        Program.Step(
          name: node.name, operator: node.operator, inputs: inputs, output: Value(shape, order: choice.output),
          isView: choice.isView))
      places[index] = steps.count - 1
      if draft.kept.contains(index), isInput(steps.count - 1, steps) {
        // Outputs have memory of their own.
        let value = steps[steps.count - 1].output
        steps.append(
          Program.Step(
            name: "\(node.name).copy", operator: Reorder(value.order), inputs: [steps.count - 1], output: value,
            isView: false))
        places[index] = steps.count - 1
      }
    }
    return Program(steps: steps, kept: places.filter { draft.kept.contains($0.key) }, freeze: draft.freeze)
  }
}
