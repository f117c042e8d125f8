import Formats
import Graph
import Operators

/// Matrix products, and normalisation over the last axes.
extension GraphReader {
  static let productConverters: [String: Converter] = [
    "Gemm": { reader, context throws(GraphError) in try reader.gemm(context) },
    "MatMul": { reader, context throws(GraphError) in try reader.matMul(context) },
    "LayerNormalization": { reader, context throws(GraphError) in try reader.layerNormalization(context) },
  ]

  private mutating func gemm(_ context: NodeContext) throws(GraphError) {
    let x = try node(context.node.inputs[0])
    let weight = try tensor(context.node.inputs[1])
    guard x.extents.count == 2, weight.shape.count == 2, context.integer("transA", 0) == 0,
      context.float("alpha", 1) == 1,
      !context.has(2) || context.float("beta", 1) == 1
    else { throw GraphError("expected x w + b of vectors, got \(x.extents) and \(weight.shape), or factors") }
    let isTransposed = context.integer("transB", 0) == 0
    try dense(
      x, weight, isTransposed: isTransposed, bias: context.has(2) ? try tensor(context.node.inputs[2]) : nil, context)
  }

  private mutating func matMul(_ context: NodeContext) throws(GraphError) {
    let names = context.node.inputs
    if isNode(names[0]), isNode(names[1]) {
      let a = try node(names[0])
      let b = try node(names[1])
      guard a.extents.count >= 2, a.extents.count == b.extents.count, a.extents.dropLast(2) == b.extents.dropLast(2)
      else {
        throw GraphError("\(a.extents) times \(b.extents)")
      }
      // Two axes at least, besides the batch's.
      let lifted = a.extents.count == 2 ? [[1] + a.extents, [1] + b.extents] : [a.extents, b.extents]
      let first = try reshaped(a.index, to: lifted[0], context)
      let second = try reshaped(b.index, to: lifted[1], context)
      return try emit(
        MatMul(), context, reading: [first, second], extents: a.extents.dropLast() + [b.extents.last!])
    }
    let x = try node(names[0])
    let weight = try tensor(names[1])
    guard weight.shape.count == 2, x.extents.count >= 2 else { throw GraphError("\(x.extents) times \(weight.shape)") }
    // PyTorch's linear layers on more than two axes come as a product and a sum.
    var bias: ONNXTensor?
    var target = context
    if let reader = onlyReader(context.node), reader.node.kind == "Add" {
      for name in reader.node.inputs where name != context.node.outputs[0] {
        guard case .tensor(let tensor)? = values[name], tensor.isFloat, tensor.shape == [weight.shape[1]] else {
          continue
        }
        bias = tensor
        target = NodeContext(node: reader.node, index: reader.index)
        done.insert(reader.index)
      }
    }
    try dense(x, weight, isTransposed: true, bias: bias, target)
  }

  /// y = x w^T + b; `isTransposed`: the tensor is (inputs, outputs). Under a number's name it becomes PyTorch's matrix.
  private mutating func dense(
    _ x: (index: Int, extents: [Int]), _ weight: ONNXTensor, isTransposed: Bool, bias: ONNXTensor?,
    _ context: NodeContext
  ) throws(GraphError) {
    let outputs = weight.shape[isTransposed ? 1 : 0]
    guard weight.shape[isTransposed ? 0 : 1] == x.extents.last, bias == nil || bias!.count == outputs else {
      throw GraphError("\(x.extents) times \(weight.shape), plus \(bias?.shape ?? [])")
    }
    let isNumbered = !weight.name.contains(".")
    let name = try variable(weight, context, role: "weight", isTransposed: isTransposed && isNumbered)
    let biasName: String?
    if let bias { biasName = try variable(bias, context, role: "bias") } else { biasName = nil }
    let extents = Array(x.extents.dropLast()) + [outputs]
    if x.extents.count == 2, x.extents[0] == 1, !isTransposed || isNumbered {
      return try emit(
        Dense(weight: name, bias: biasName, outputs: outputs), context, reading: [x.index], extents: extents)
    }
    let projection = Projection(
      weight: name, bias: biasName, outputs: outputs, isTransposed: isTransposed && !isNumbered)
    try emit(projection, context, reading: [x.index], extents: extents)
  }

  private mutating func layerNormalization(_ context: NodeContext) throws(GraphError) {
    let x = try node(context.node.inputs[0])
    guard context.node.outputs.count == 1 else { throw GraphError("its mean or deviation is asked for") }
    let axis = try Self.axis(context.integer("axis", -1), of: x.extents)
    let axes = network.nodes[x.index].shape.rank - axis
    let size = network.nodes[x.index].shape.extents.suffix(axes).reduce(1, *)
    func parameter(_ input: Int, _ role: String) throws(GraphError) -> String? {
      guard context.has(input) else { return nil }
      let tensor = try tensor(context.node.inputs[input])
      guard tensor.count == size else { throw GraphError("\(role) of shape \(tensor.shape)") }
      return try variable(tensor, context, role: role)
    }
    let weight = try parameter(1, "weight")
    let bias = try parameter(2, "bias")
    try emit(
      LayerNormalization(weight: weight, bias: bias, axes: axes, epsilon: context.float("epsilon", 1e-5)), context,
      reading: [x.index], extents: x.extents)
  }
}
