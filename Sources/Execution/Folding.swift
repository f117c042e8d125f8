import Graph
import Operators

/// A batch normalisation in evaluation mode as part of weights: those of the convolution before it, or its own.
package struct Folding: Sendable {
  package struct Filters: Sendable {
    package var weight: String
    package var bias: String?
  }
  package var filters: Filters?
  /// The names of its variables.
  package var weight, bias, mean, variance: String
  package var epsilon: Float
}
