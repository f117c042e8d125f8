import Kernels

/// What normalising operators normalise by.
package enum StatisticsSource {
  /// The batch's own, towards which the running ones move, where there are any.
  case batch(moving: UnsafeMutablePointer<Float>?)
  /// Running ones, as in evaluation mode; constants to the backward pass.
  case given(UnsafePointer<Float>)

  package var measures: Bool { if case .batch = self { true } else { false } }
}
