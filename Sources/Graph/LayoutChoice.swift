import Kernels

/// The orders of axes that a kernel takes and gives.
package struct LayoutChoice: Hashable, Sendable {
  package var inputs: [AxisOrder]
  package var output: AxisOrder
  /// The output is the input's memory under another shape or order: nothing is computed.
  package var isView: Bool

  package init(inputs: [AxisOrder], output: AxisOrder, isView: Bool = false) {
    self.inputs = inputs
    self.output = output
    self.isView = isView
  }

  /// All values channels last.
  package static func channelsLast(of inputs: [Value], output: SampleShape) -> LayoutChoice {
    LayoutChoice(inputs: inputs.map { .channelsLast($0.shape.rank) }, output: .channelsLast(output.rank))
  }

  /// All values row-major.
  package static func rowMajor(of inputs: [Value], output: SampleShape) -> LayoutChoice {
    LayoutChoice(inputs: inputs.map { .rowMajor($0.shape.rank) }, output: .rowMajor(output.rank))
  }

  /// Inputs and output in one order: that of the first input that has the output's size (the others broadcast).
  package static func alike(of inputs: [Value], output: SampleShape) -> LayoutChoice {
    let order = (inputs.first { $0.shape == output } ?? inputs[0]).order
    return LayoutChoice(inputs: inputs.map { _ in order }, output: order)
  }

  /// The input in its own order, but with `axis` innermost; the output likewise.
  package static func last(_ axis: Int, of input: Value) -> LayoutChoice {
    let needed = input.order.movingLast(axis)
    let order = input.order.matches(needed, for: input.shape) ? input.order : needed
    return LayoutChoice(inputs: [order], output: needed)
  }
}
