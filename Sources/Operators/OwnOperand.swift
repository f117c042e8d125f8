import CKernels
import Graph
import Kernels

/// An operand that is the operator's own, the same for all samples.
package struct OwnOperand: Sendable {
  package enum Content: Sendable {
    case parameter(Variable)
    case constant([Float])
  }
  package var content: Content
  /// Its axes as a sample's, row-major in memory.
  package var shape: SampleShape
  package var isFirst: Bool

  package init(_ content: Content, shape: SampleShape, isFirst: Bool = false) {
    self.content = content
    self.shape = shape
    self.isFirst = isFirst
  }

  /// A number.
  package init(_ value: Float, rank: Int, isFirst: Bool = false) {
    self.init(.constant([value]), shape: SampleShape(Array(repeating: 1, count: rank)), isFirst: isFirst)
  }
}
