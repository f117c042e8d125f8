import Kernels

/// A kernel whose backward pass to its first input can gather: dx = (its gradient + the other sources) where y > 0, in
/// the pass over memory that it makes anyway.
package protocol MaskingKernel: Kernel {
  /// Sources beside its own that it can take; nil where it cannot.
  var maximumOtherSources: Int? { get }
  func backward(
    _ arguments: borrowing Arguments, adding sources: GradientSources, maskedBy y: UnsafeRawPointer?,
    into dx: UnsafeMutableRawPointer)
}

/// The gradients that meet at a value, of its type of elements.
package typealias GradientSources = UnsafeBufferPointer<UnsafeRawPointer?>
