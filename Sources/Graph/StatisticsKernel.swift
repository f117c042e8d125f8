import Kernels

/// A kernel whose output depends on the whole batch, piece by piece: `beginForward`, `measure` every piece,
/// `endForward`, `forward` every piece. Backward: `beginBackward`, `gather` every piece, `endBackward`, `backward`
/// every piece. Each pass of a network has one of its own.
package protocol StatisticsKernel: Kernel {
  func beginForward(_ source: StatisticsSource)
  func measure(_ arguments: borrowing Arguments)
  func endForward(_ arguments: borrowing Arguments, _ source: StatisticsSource)
  func beginBackward()
  /// d = the sum of `sources`, where y > 0 if the operator ends in a ReLU; and its part of what `backward` needs of the
  /// whole batch.
  func gather(_ sources: GradientSources, _ arguments: borrowing Arguments, into d: UnsafeMutableRawPointer)
  func endBackward(_ arguments: borrowing Arguments)
}
