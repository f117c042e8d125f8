import CKernels

/// A slope of y = f(a, b) by one operand.
package enum Slope {
  case constant(Float)
  case otherOperand
  /// A function of a and b.
  case function(ArithmeticFunction)
}
