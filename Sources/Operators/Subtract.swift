import CKernels
import Graph

/// y = a - b
package struct Subtract: Arithmetic {
  package var own: OwnOperand?
  package init(own: OwnOperand? = nil) { self.own = own }

  package var kind: String { "Sub" }
  package var function: ArithmeticFunction { ck_subtract }
  package var slopes: (a: Slope, b: Slope) { (.constant(1), .constant(-1)) }
}
