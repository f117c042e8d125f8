import Formats
import Graph
import Operators

/// Operators element by element.
extension GraphReader {
  static let arithmeticConverters: [String: Converter] = [
    "Relu": pointwise { _, _ in ReLU() }, "Sigmoid": pointwise { _, _ in Sigmoid() },
    "Swish": pointwise { context, _ throws(GraphError) in
      guard context.float("alpha", 1) == 1 else { throw GraphError("alpha other than 1") }
      return SiLU()
    },
    "Tanh": pointwise { _, _ in Tanh() }, "HardSwish": pointwise { _, _ in HardSwish() },
    "Softplus": pointwise { _, _ in Softplus() }, "Erf": pointwise { _, _ in Erf() },
    "Sqrt": pointwise { _, _ in SquareRoot() }, "Exp": pointwise { _, _ in Exponential() },
    "Log": pointwise { _, _ in Logarithm() }, "Abs": pointwise { _, _ in Absolute() },
    "Reciprocal": pointwise { _, _ in Reciprocal() }, "Neg": pointwise { _, _ in Affine(scale: -1) },
    "LeakyRelu": pointwise { context, _ in LeakyReLU(negativeSlope: context.float("alpha", 0.01)) },
    "Elu": pointwise { context, _ in ELU(alpha: context.float("alpha", 1)) },
    "HardSigmoid": pointwise { context, _ in
      HardSigmoid(alpha: context.float("alpha", 0.2), beta: context.float("beta", 0.5))
    },
    "Gelu": pointwise { context, _ in GELU(isApproximate: context.text("approximate", "none") == "tanh") },
    "Clip": pointwise { context, reader throws(GraphError) in
      func bound(_ input: Int, _ name: String, _ none: Float) throws(GraphError) -> Float {
        guard context.has(input) else { return context.float(name, none) }
        guard let value = reader.number(context.node.inputs[input]) else {
          throw GraphError("bounds that are computed")
        }
        return value
      }
      return Clip(minimum: try bound(1, "min", -.infinity), maximum: try bound(2, "max", .infinity))
    },
    "Pow": pointwise { context, reader throws(GraphError) in
      guard let exponent = reader.number(context.node.inputs[1]) else {
        throw GraphError("an exponent that is no number")
      }
      return Power(exponent)
    },
    "Identity": pointwise { _, _ in Identity() }, "Cast": pointwise { _, _ in Identity() },
    "Dropout": pointwise { context, reader throws(GraphError) in
      guard context.has(1) else { return Dropout(rate: Double(context.float("ratio", 0.5))) }
      guard let rate = reader.number(context.node.inputs[1]) else { throw GraphError("a rate that is computed") }
      return Dropout(rate: Double(rate))
    },
    "Softmax": { reader, context throws(GraphError) in
      let x = try reader.node(context.node.inputs[0])
      let axis = try axis(context.integer("axis", reader.model.opset < 13 ? 1 : -1), of: x.extents)
      guard reader.model.opset >= 13 || axis == x.extents.count - 2 else {
        throw GraphError("a softmax over several axes")
      }
      try reader.emit(Softmax(axis: axis), context, reading: [x.index], extents: x.extents)
    },
    "Add": { reader, context throws(GraphError) in try reader.arithmetic(context) { Add(own: $0) } },
    "Sub": { reader, context throws(GraphError) in try reader.arithmetic(context) { Subtract(own: $0) } },
    "Mul": { reader, context throws(GraphError) in try reader.arithmetic(context) { Multiply(own: $0) } },
    "Div": { reader, context throws(GraphError) in try reader.arithmetic(context) { Divide(own: $0) } },
  ]

  private mutating func arithmetic(
    _ context: NodeContext, _ make: (OwnOperand?) -> any Arithmetic
  ) throws(GraphError) {
    let names = context.node.inputs
    guard names.count == 2 else { throw GraphError("\(names.count) operands") }
    if isNode(names[0]), isNode(names[1]) {
      let a = try node(names[0])
      let b = try node(names[1])
      let extents = try Self.broadcast(a.extents, b.extents)
      let first = try reshaped(a.index, to: Self.padded(a.extents, extents.count), context)
      let second = try reshaped(b.index, to: Self.padded(b.extents, extents.count), context)
      return try emit(make(nil), context, reading: [first, second], extents: extents)
    }
    // Of two tensors, the one that is trained is the value.
    let isFirst = isNode(names[1]) || !isNode(names[0]) && !isTrained(names[0])
    let x = try node(names[isFirst ? 1 : 0])
    let name = names[isFirst ? 0 : 1]
    if let value = number(name), let affine = Self.affine(context.node.kind, value, isFirst: isFirst) {
      return try emit(affine, context, reading: [x.index], extents: x.extents)
    }
    let own: ONNXTensor
    if let value = number(name) { own = ONNXTensor(constant: [value], shape: []) } else { own = try tensor(name) }
    let extents = try Self.broadcast(x.extents, own.shape)
    guard extents.first == 1 || own.shape.count < extents.count else {
      throw GraphError("a constant as large as the batch")
    }
    let shape = try Self.sample(
      extents.first == 1 ? Self.padded(own.shape, extents.count) : [1] + Self.padded(own.shape, extents.count))
    let content: OwnOperand.Content
    if isParameter(own) {
      let variable = try variable(own, context, role: "scale")
      content = .parameter(
        Variable(variable, own.shape, start: .constant(context.node.kind == "Mul" ? 1 : 0), decays: false))
    } else {
      content = .constant(own.floats())
    }
    let input = try reshaped(x.index, to: Self.padded(x.extents, extents.count), context)
    try emit(make(OwnOperand(content, shape: shape, isFirst: isFirst)), context, reading: [input], extents: extents)
  }

  private func isTrained(_ name: String) -> Bool {
    if case .tensor(let tensor)? = values[name] { isParameter(tensor) } else { false }
  }

  /// A sum or product with a number.
  private static func affine(_ kind: String, _ value: Float, isFirst: Bool) -> Affine? {
    switch (kind, isFirst) {
    case ("Add", _): Affine(shift: value)
    case ("Sub", false): Affine(shift: -value)
    case ("Sub", true): Affine(scale: -1, shift: value)
    case ("Mul", _): Affine(scale: value)
    case ("Div", false): Affine(scale: 1 / value)
    default: nil
    }
  }

  private static func padded(_ extents: [Int], _ rank: Int) -> [Int] {
    Array(repeating: 1, count: rank - extents.count) + extents
  }

  private static func broadcast(_ a: [Int], _ b: [Int]) throws(GraphError) -> [Int] {
    let rank = max(a.count, b.count)
    var extents: [Int] = []
    for (a, b) in zip(padded(a, rank), padded(b, rank)) {
      guard a == b || a == 1 || b == 1 else { throw GraphError("operands of \(a) and \(b) positions") }
      extents.append(max(a, b))
    }
    return extents
  }
}
