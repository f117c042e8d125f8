import Kernels

/// A kernel whose backward pass to its first input can gather: dx = (its gradient + the other sources) where y > 0, in
/// the pass over memory that it makes anyway.
package protocol MaskingKernel: Kernel {
  /// Sources beside its own that it can take; nil where it cannot.
  var maximumOtherSources: Int? { get }
  func backward(
    _ arguments: borrowing Arguments, adding sources: GradientSources, maskedBy y: UnsafePointer<Float>?,
    into dx: UnsafeMutablePointer<Float>)
}

/// The gradients that meet at a value.
package typealias GradientSources = UnsafeBufferPointer<UnsafePointer<Float>?>
