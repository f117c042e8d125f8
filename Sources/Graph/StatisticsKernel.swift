import Kernels

/// A kernel whose output depends on the whole batch, piece by piece: `beginForward`, `measure` every piece,
/// `endForward`, `forward` every piece. Backward: `beginBackward`, `gather` every piece, `endBackward`, `backward`
/// every piece. Each pass of a network has one of its own.
package protocol StatisticsKernel: Kernel {
  func beginForward(_ source: StatisticsSource)
  func measure(_ arguments: borrowing Arguments)
  func endForward(_ arguments: borrowing Arguments, _ source: StatisticsSource)
  /// Instead of `endForward`: normalises as `other`, a kernel of the same operator in another pass, did last.
  func adopt(_ other: any StatisticsKernel)
  func beginBackward()
  /// d = the sum of `sources`, where y > 0 if the operator ends in a ReLU; and its part of what `backward` needs of the
  /// whole batch.
  func gather(_ sources: GradientSources, _ arguments: borrowing Arguments, into d: UnsafeMutableRawPointer)
  func endBackward(_ arguments: borrowing Arguments)
  /// dx from dy, sample by sample, as if the statistics of the last forward pass were constants; leaves the kernel as
  /// it is.
  func backwardByConstants(_ arguments: borrowing Arguments)
}
