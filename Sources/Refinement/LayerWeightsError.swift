import Foundation
import Kernels
import Runtime

/// A list of layer weights that is not as long as the list of taps.
package struct LayerWeightsError: ExitCoded, Equatable, CustomStringConvertible {
  package let weights: Int
  package let taps: Int
  package let exitCode = ExitCode.usage

  package var description: String {
    "distillation.layer_weights: expected one weight for each of the \(taps) taps, got a list of \(weights)"
  }
}
