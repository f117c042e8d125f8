import CKernels
import Graph

/// y = a + b
package struct Add: Arithmetic {
  package var own: OwnOperand?
  package init(own: OwnOperand? = nil) { self.own = own }

  package var kind: String { "Add" }
  package var function: ArithmeticFunction { ck_add }
  package var slopes: (a: Slope, b: Slope) { (.constant(1), .constant(1)) }
}
