import CKernels
import Graph

/// y = f(x), element by element; in C, f and its slope stand side by side (activations.c).
package protocol Pointwise: Operator {
  var function: PointwiseFunction { get }
  var slope: PointwiseSlope { get }
  /// The constants of both.
  var constants: (a: Float, b: Float) { get }
  /// Whether the slope is a function of y rather than of x.
  var slopeReadsOutput: Bool { get }
}

package typealias PointwiseFunction =
  @convention(c) (UnsafePointer<Float>?, Int, Float, Float, UnsafeMutablePointer<Float>?) -> Void
package typealias PointwiseSlope =
  @convention(c) (UnsafePointer<Float>?, UnsafePointer<Float>?, Int, Float, Float, UnsafeMutablePointer<Float>?) -> Void

extension Pointwise {
  package var constants: (a: Float, b: Float) { (0, 0) }
  package var slopeReadsOutput: Bool { false }
  package var isCheap: Bool { true }
  package var backwardReads: Operands { slopeReadsOutput ? .output : .input }
  package func kernel(_ context: KernelContext) -> any Kernel { PointwiseKernel(self, context) }
}

final class PointwiseKernel: Kernel {
  private let function: PointwiseFunction
  private let slope: PointwiseSlope
  private let constants: (a: Float, b: Float)
  private let slopeReadsOutput: Bool
  private let count: Int

  init(_ pointwise: some Pointwise, _ context: KernelContext) {
    function = pointwise.function
    slope = pointwise.slope
    constants = pointwise.constants
    slopeReadsOutput = pointwise.slopeReadsOutput
    count = context.output.count
  }

  func forward(_ arguments: borrowing Arguments) {
    function(arguments.input(), arguments.samples * count, constants.a, constants.b, arguments.output)
  }

  /// forward was y = f(x), so dx = dy f'(x).
  func backward(_ arguments: borrowing Arguments) {
    guard let dx = arguments.inputGradient() else { return }
    let read = slopeReadsOutput ? UnsafePointer(arguments.output) : arguments.input()
    slope(arguments.gradient, read, arguments.samples * count, constants.a, constants.b, dx)
  }
}
