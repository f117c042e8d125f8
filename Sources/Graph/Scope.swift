import Kernels

/// How an operator goes through a batch.
package enum Scope: Sendable {
  /// Sample by sample, so in pieces of any size.
  case sample
  /// All samples at once.
  case batch
  /// In pieces, twice: its kernel (a `StatisticsKernel`) measures the whole batch before it makes the first output.
  case statistics
}
