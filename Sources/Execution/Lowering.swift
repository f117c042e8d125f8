import Graph
import Kernels
import Operators

/// A network lowered: fused, with orders of axes and types of elements chosen.
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

  /// `kept`: nodes whose outputs somebody looks at, as float32. `precision`: the elements of what lies between kernels
  /// that know them; where a kernel does not, values are converted before and after it.
  package init(_ network: Network, use: Lowering.Use, precision: ElementType = .float32, kept: [Int]) {
    var draft = Draft(network, kept: Set(kept))
    for rule in use.rules { rule.apply(to: &draft) }
    foldings = draft.foldings
    var layout = ProgramLayout(precision: precision)
    program = layout.program(draft)
  }
}
