import Kernels

/// Inputs, the output, or both.
package struct Operands: Hashable, Sendable {
  package var inputs: Set<Int>
  package var output: Bool

  package init(inputs: Set<Int> = [], output: Bool = false) {
    self.inputs = inputs
    self.output = output
  }
  package static let none = Operands()
  package static let output = Operands(output: true)
  /// The only input, or the first.
  package static let input = Operands(inputs: [0])

  package func union(_ other: Operands) -> Operands {
    Operands(inputs: inputs.union(other.inputs), output: output || other.output)
  }
}
