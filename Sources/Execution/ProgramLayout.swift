import Graph
import Kernels
import Operators

/// Lays the nodes of a draft out as a program's steps: chooses orders of axes and types of elements, and puts a
/// `Reorder` or a `Convert` where a kernel wants another one than its input has.
struct ProgramLayout {
  /// What kernels compute in, where they can.
  let precision: ElementType
  private var steps: [Program.Step] = []
  /// Reorders and conversions that are there already.
  private var reordered: [[Int]: Int] = [:]
  private var converted: [Conversion: Int] = [:]

  private struct Conversion: Hashable {
    var step: Int
    var element: ElementType
  }

  init(precision: ElementType) { self.precision = precision }

  mutating func program(_ draft: Draft) -> Program {
    var places: [Int: Int] = [:]
    var kept: [Int: Int] = [:]
    for (index, node) in draft.nodes.enumerated() {
      guard let node else { continue }
      places[index] = place(node, reading: node.inputs.map { places[$0]! })
      if draft.kept.contains(index) { kept[index] = shown(places[index]!, of: node) }
    }
    return Program(steps: steps, kept: kept, freeze: draft.freeze)
  }

  private mutating func place(_ node: Draft.Node, reading inputs: [Int]) -> Int {
    let values = inputs.map { steps[$0].output }
    let shape: SampleShape
    do {
      shape = try node.operator.shape(of: values.map(\.shape))
    } catch {
      preconditionFailure("\(node.name): \(error)")
    }
    let choice = node.operator.layout(of: values, output: shape)
    let elements = choice.isView ? .alike(values) : node.operator.elements(of: values, precision: precision)
    var inputs = inputs
    for (input, order) in choice.inputs.enumerated() {
      if !values[input].order.matches(order, for: values[input].shape) {
        inputs[input] = reorder(inputs[input], order, named: "\(node.name).reorder\(input)")
      }
      inputs[input] = convert(inputs[input], elements.inputs[input], named: "\(node.name).convert\(input)")
    }
    return append(
      node.name, node.operator, reading: inputs, Value(shape, order: choice.output, element: elements.output),
      isView: choice.isView)
  }

  /// The step whose output somebody may look at: float32, in memory of its own.
  private mutating func shown(_ step: Int, of node: Draft.Node) -> Int {
    let value = steps[step].output
    guard isInput(step) else { return convert(step, .float32, named: "\(node.name).shown") }
    return append("\(node.name).copy", Reorder(value.order), reading: [step], value)
  }

  /// Whether a step's output is the caller's images.
  private func isInput(_ step: Int) -> Bool { step == 0 || steps[step].isView && isInput(steps[step].inputs[0]) }

  private mutating func reorder(_ step: Int, _ order: AxisOrder, named name: String) -> Int {
    // Elements of float32 alone are moved.
    let source = convert(step, .float32, named: "\(name).convert")
    if let known = reordered[[source] + order.axes] { return known }
    var value = steps[source].output
    value.order = order
    let result = append(name, Reorder(order), reading: [source], value)
    reordered[[source] + order.axes] = result
    return result
  }

  private mutating func convert(_ step: Int, _ element: ElementType, named name: String) -> Int {
    var value = steps[step].output
    guard value.element != element else { return step }
    let conversion = Conversion(step: step, element: element)
    if let known = converted[conversion] { return known }
    value.element = element
    let result = append(name, Convert(element), reading: [step], value)
    converted[conversion] = result
    return result
  }

  private mutating func append(
    _ name: String, _ operator: any Operator, reading inputs: [Int], _ output: Value, isView: Bool = false
  ) -> Int {
    steps.append(Program.Step(name: name, operator: `operator`, inputs: inputs, output: output, isView: isView))
    return steps.count - 1
  }
}
