import Formats
import Graph
import Operators

/// Shape arithmetic: what has one result for a batch of one is computed now.
extension GraphReader {
  /// Whole numbers that a name stands for.
  func integers(_ name: String) throws(GraphError) -> [Int] {
    switch values[name] {
    case .integers(let values, _)?: return values
    case .tensor(let tensor)? where !tensor.isFloat: return tensor.integers()
    default: throw GraphError("input \(quoted(name)) is computed from the images, expected constants")
    }
  }

  private func known(_ name: String) -> (values: [Int], shape: [Int])? {
    switch values[name] {
    case .integers(let values, let shape)?: return (values, shape)
    case .tensor(let tensor)? where !tensor.isFloat && tensor.count <= 1 << 16: return (tensor.integers(), tensor.shape)
    default: return nil
    }
  }

  /// A number that a name stands for; nil where it is none, or is trained.
  func number(_ name: String) -> Float? {
    switch values[name] {
    case .tensor(let tensor)? where tensor.count == 1 && !isParameter(tensor):
      tensor.isFloat ? tensor.floats()[0] : Float(tensor.integers()[0])
    case .integers(let values, _)? where values.count == 1: Float(values[0])
    default: nil
    }
  }

  /// Computes the node where all that it reads is known. Returns whether it did.
  mutating func foldConstants(_ node: ONNXModel.Node) throws(GraphError) -> Bool {
    guard !node.outputs.isEmpty else { throw GraphError("a node \(quoted(node.kind)) has no output") }
    guard node.kind == "Constant" || !node.inputs.isEmpty else { return false }
    switch node.kind {
    case "Constant":
      values[node.outputs[0]] = try constant(node)
      return true
    case "Shape":
      guard case .node(_, let extents)? = values[node.inputs[0]] else { return false }
      let context = NodeContext(node: node, index: 0)
      let all = Array(extents)
      let start = max(0, wrapped(context.integer("start", 0), all.count))
      let end = min(all.count, wrapped(context.integer("end", all.count), all.count))
      set(node, Array(all[min(start, end)..<end]))
      return true
    case "Identity", "Cast":
      guard case .node? = values[node.inputs[0]] else {
        values[node.outputs[0]] = values[node.inputs[0]]
        return true
      }
      return false
    default: break
    }
    let inputs = node.inputs.filter { !$0.isEmpty }.map(known)
    guard !inputs.isEmpty, !inputs.contains(where: { $0 == nil }) else { return false }
    return try fold(node, inputs.map { $0! })
  }

  private func wrapped(_ index: Int, _ count: Int) -> Int { index < 0 ? index + count : index }

  private mutating func set(_ node: ONNXModel.Node, _ result: [Int], shape: [Int]? = nil) {
    values[node.outputs[0]] = .integers(result, shape: shape ?? [result.count])
  }

  private mutating func fold(_ node: ONNXModel.Node, _ inputs: [(values: [Int], shape: [Int])]) throws(GraphError)
    -> Bool
  {
    let first = inputs[0]
    switch node.kind {
    case "Add", "Sub", "Mul", "Div", "Equal":
      let count = max(first.values.count, inputs[1].values.count)
      guard [first.values.count, inputs[1].values.count].allSatisfy({ $0 == count || $0 == 1 }) else { return false }
      var result: [Int] = []
      for index in 0..<count {
        let a = first.values[first.values.count == 1 ? 0 : index]
        let b = inputs[1].values[inputs[1].values.count == 1 ? 0 : index]
        switch node.kind {
        case "Add": result.append(a &+ b)
        case "Sub": result.append(a &- b)
        case "Mul": result.append(a &* b)
        case "Equal": result.append(a == b ? 1 : 0)
        default:
          guard b != 0 else { throw GraphError("a division by zero in shape arithmetic") }
          result.append(b == -1 ? 0 &- a : a / b)
        }
      }
      set(node, result, shape: first.shape.count >= inputs[1].shape.count ? first.shape : inputs[1].shape)
    case "Concat": set(node, inputs.flatMap(\.values))
    case "Unsqueeze", "Squeeze", "Reshape", "Flatten":
      set(node, first.values, shape: node.kind == "Squeeze" && first.values.count == 1 ? [] : [first.values.count])
    case "Gather":
      let indices = inputs[1].values.map { wrapped($0, first.values.count) }
      guard first.shape.count <= 1, indices.allSatisfy(first.values.indices.contains) else { return false }
      set(node, indices.map { first.values[$0] }, shape: inputs[1].shape)
    case "Slice":
      guard inputs.count >= 3, first.shape.count == 1, inputs[1].values.count == 1, inputs[2].values.count == 1,
        inputs.count < 5 || inputs[4].values == [1]
      else { return false }
      let start = min(max(0, wrapped(inputs[1].values[0], first.values.count)), first.values.count)
      let end = min(max(start, wrapped(inputs[2].values[0], first.values.count)), first.values.count)
      set(node, Array(first.values[start..<end]))
    case "Where":
      let count = inputs.map(\.values.count).max()!
      guard inputs.count == 3, inputs.allSatisfy({ $0.values.count == count || $0.values.count == 1 }) else {
        return false
      }
      func at(_ input: Int, _ index: Int) -> Int { inputs[input].values[inputs[input].values.count == 1 ? 0 : index] }
      set(node, (0..<count).map { at(0, $0) != 0 ? at(1, $0) : at(2, $0) })
    case "ConstantOfShape":
      let count = first.values.reduce(1) { $0.multipliedReportingOverflow(by: $1).partialValue }
      guard count >= 0, count <= 1 << 16 else { throw GraphError("a constant of \(first.values)") }
      var value = 0
      if case .tensor(let tensor)? = node.attributes["value"] {
        guard !tensor.isFloat, tensor.count == 1 else { return false }
        value = tensor.integers()[0]
      }
      set(node, Array(repeating: value, count: count), shape: first.values)
    case "Range":
      guard inputs.count == 3, inputs.allSatisfy({ $0.values.count == 1 }), inputs[2].values[0] > 0 else {
        return false
      }
      let numbers = Array(
        stride(from: first.values[0], to: inputs[1].values[0], by: inputs[2].values[0]).prefix(1 << 16))
      set(node, numbers)
    default: return false
    }
    return true
  }

  private func constant(_ node: ONNXModel.Node) throws(GraphError) -> Value {
    for (name, attribute) in node.attributes {
      switch attribute {
      case .tensor(let tensor):
        var tensor = tensor
        tensor.name = ""
        return tensor.isFloat ? .tensor(tensor) : .integers(tensor.integers(), shape: tensor.shape)
      case .integer(let value) where name == "value_int": return .integers([value], shape: [])
      case .integers(let values) where name == "value_ints": return .integers(values, shape: [values.count])
      case .float(let value) where name == "value_float": return .tensor(ONNXTensor(constant: [value], shape: []))
      case .floats(let values) where name == "value_floats":
        return .tensor(ONNXTensor(constant: values, shape: [values.count]))
      default: continue
      }
    }
    throw GraphError("a constant that is neither numbers nor a tensor")
  }
}
