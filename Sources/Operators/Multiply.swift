import CKernels
import Graph

/// y = a b
package struct Multiply: Arithmetic {
  package var own: OwnOperand?
  package init(own: OwnOperand? = nil) { self.own = own }

  package var kind: String { "Mul" }
  package var function: ArithmeticFunction { ck_multiply }
  package var slopes: (a: Slope, b: Slope) { (.otherOperand, .otherOperand) }
}
