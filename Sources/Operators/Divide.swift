import CKernels
import Graph

/// y = a / b
package struct Divide: Arithmetic {
  package var own: OwnOperand?
  package init(own: OwnOperand? = nil) { self.own = own }

  package var kind: String { "Div" }
  package var function: ArithmeticFunction { ck_divide }
  package var slopes: (a: Slope, b: Slope) { (.function(ck_divide_by), .function(ck_divide_slope)) }
}
