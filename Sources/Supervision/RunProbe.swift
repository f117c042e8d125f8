import Files
import Kernels
import Runtime

/// What looks into a rank's run from outside, at the places where a fault can be made. In `icp` nothing does
/// (`NoProbe`); the test program `icp-faulty` puts its injector here (docs/RELIABILITY.md, "Faults on purpose").
package protocol RunProbe: AnyObject {
  /// A phase has begun, of step `step`.
  func entered(_ phase: Phase, step: Int)
  /// A shard's mean gradient is about to be summed.
  func beforeReduction(_ gradients: Tensor, step: Int) throws
  /// The gradient of the batch, before it is clipped.
  func afterReduction(_ gradients: Tensor, step: Int)
  /// The weights after the optimiser's step.
  func afterOptimizer(_ parameters: Tensor, step: Int)
  /// The system calls of saves and of the run directory.
  var system: System { get }
}
