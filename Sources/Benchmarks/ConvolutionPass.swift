import Kernels
import Operators

/// What a convolution can be asked for.
package enum ConvolutionPass: String, CaseIterable {
  case forward
  case backwardData = "backward_data"
  case backwardWeights = "backward_weights"

  var passes: Kernels.Convolution.Passes {
    switch self {
    case .forward: .forward
    case .backwardData: .backwardData
    case .backwardWeights: .backwardWeights
    }
  }
}
