import Kernels

/// The types of elements that a kernel takes and gives. The gradient of a value has its type.
package struct ElementChoice: Hashable, Sendable {
  package var inputs: [ElementType]
  package var output: ElementType

  package init(inputs: [ElementType], output: ElementType) {
    self.inputs = inputs
    self.output = output
  }

  /// One type for everything.
  package static func all(_ element: ElementType, of inputs: [Value]) -> ElementChoice {
    ElementChoice(inputs: inputs.map { _ in element }, output: element)
  }

  /// All as the first input is.
  package static func alike(_ inputs: [Value]) -> ElementChoice { .all(inputs[0].element, of: inputs) }
}
