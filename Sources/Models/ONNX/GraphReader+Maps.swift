import Formats
import Graph
import Kernels
import Operators

/// Operators over feature maps: convolutions, normalisations, pooling.
extension GraphReader {
  static let mapConverters: [String: Converter] = [
    "Conv": { reader, context throws(GraphError) in try reader.convolution(context) },
    "ConvTranspose": { reader, context throws(GraphError) in try reader.transposedConvolution(context) },
    "BatchNormalization": { reader, context throws(GraphError) in try reader.batchNormalization(context) },
    "GroupNormalization": { reader, context throws(GraphError) in
      try reader.groupNormalization(context, groups: context.integer("num_groups", 1))
    },
    "InstanceNormalization": { reader, context throws(GraphError) in
      let x = try reader.node(context.node.inputs[0])
      try reader.groupNormalization(context, groups: x.extents.count > 1 ? x.extents[1] : 1)
    },
    "MaxPool": { reader, context throws(GraphError) in
      try reader.pool(context) { MaxPool($0) }
    },
    "AveragePool": { reader, context throws(GraphError) in
      let countsPadding = context.integer("count_include_pad", 0) != 0
      try reader.pool(context) { AveragePool($0, countsPadding: countsPadding) }
    },
    "GlobalAveragePool": { reader, context throws(GraphError) in
      let x = try reader.map(context)
      try reader.emit(
        GlobalAveragePool(keepsAxes: true), context, reading: [x.index], extents: [1, x.extents[1], 1, 1])
    },
    "GlobalMaxPool": { reader, context throws(GraphError) in
      let x = try reader.map(context)
      let whole = ConvolutionGeometry.Pair(height: x.extents[2], width: x.extents[3])
      try reader.emit(
        MaxPool(Window(kernel: whole, stride: whole)), context, reading: [x.index], extents: [1, x.extents[1], 1, 1])
    },
  ]

  /// The first input, feature maps (1, channels, height, width).
  private mutating func map(_ context: NodeContext) throws(GraphError) -> (index: Int, extents: [Int]) {
    let x = try node(context.node.inputs[0])
    guard x.extents.count == 4, x.extents[0] == 1 else {
      throw GraphError("expected feature maps (batch, channels, height, width), got \(x.extents)")
    }
    return x
  }

  private struct Sliding {
    var kernel, stride, dilation: ConvolutionGeometry.Pair
    var padding: ConvolutionGeometry.Padding
  }

  private func sliding(_ context: NodeContext, kernel: [Int], over x: [Int]) throws(GraphError) -> Sliding {
    func pair(_ name: String) throws(GraphError) -> ConvolutionGeometry.Pair {
      let values = context.integers(name) ?? [1, 1]
      guard values.count == 2, values.allSatisfy({ $0 > 0 && $0 < 1 << 16 }) else {
        throw GraphError("\(name) \(values)")
      }
      return .init(height: values[0], width: values[1])
    }
    guard kernel.count == 2, kernel.allSatisfy({ $0 > 0 && $0 < 1 << 16 }) else {
      throw GraphError("a kernel of \(kernel)")
    }
    let stride = try pair("strides")
    let dilation = try pair("dilations")
    let pads = context.integers("pads") ?? [0, 0, 0, 0]
    guard pads.count == 4, pads.allSatisfy({ (0..<1 << 16).contains($0) }) else { throw GraphError("padding \(pads)") }
    var padding = ConvolutionGeometry.Padding(top: pads[0], left: pads[1], bottom: pads[2], right: pads[3])
    let automatic = context.text("auto_pad", "NOTSET")
    switch automatic {
    case "NOTSET": break
    case "VALID": padding = .init(0)
    case "SAME_UPPER", "SAME_LOWER":
      func both(_ size: Int, _ kernel: Int, _ dilation: Int, _ stride: Int) -> (before: Int, after: Int) {
        let all = max(0, ((size + stride - 1) / stride - 1) * stride + dilation * (kernel - 1) + 1 - size)
        return automatic == "SAME_UPPER" ? (all / 2, all - all / 2) : (all - all / 2, all / 2)
      }
      let rows = both(x[2], kernel[0], dilation.height, stride.height)
      let columns = both(x[3], kernel[1], dilation.width, stride.width)
      padding = .init(top: rows.before, left: columns.before, bottom: rows.after, right: columns.after)
    default: throw GraphError("auto_pad \(automatic)")
    }
    return Sliding(
      kernel: .init(height: kernel[0], width: kernel[1]), stride: stride, dilation: dilation, padding: padding)
  }

  /// The name of the bias that is the node's input; nil where it has none, or the exporter wrote zeros for none.
  private mutating func bias(_ context: NodeContext, _ input: Int, count: Int) throws(GraphError) -> String? {
    guard context.has(input) else { return nil }
    let tensor = try tensor(context.node.inputs[input])
    guard tensor.count == count else { throw GraphError("a bias of shape \(tensor.shape), expected \(count)") }
    if !tensor.name.contains("."), tensor.floats().allSatisfy({ $0 == 0 }) { return nil }
    return try variable(tensor, context, role: "bias")
  }

  private mutating func convolution(_ context: NodeContext) throws(GraphError) {
    let x = try map(context)
    let weight = try tensor(context.node.inputs[1])
    let groups = context.integer("group", 1)
    guard weight.shape.count == 4, groups > 0, weight.shape[1] * groups == x.extents[1] else {
      throw GraphError("filters of shape \(weight.shape) in \(groups) groups over \(x.extents[1]) channels")
    }
    let sliding = try sliding(context, kernel: Array(weight.shape[2...]), over: x.extents)
    let convolution = Operators.Convolution(
      weight: try variable(weight, context, role: "weight"), bias: try bias(context, 2, count: weight.shape[0]),
      outputs: weight.shape[0], kernel: sliding.kernel, stride: sliding.stride, dilation: sliding.dilation,
      padding: sliding.padding, groups: groups)
    try emit(
      convolution, context, reading: [x.index],
      extents: [1] + convolution.shape(of: [network.nodes[x.index].shape]).extents)
  }

  private mutating func transposedConvolution(_ context: NodeContext) throws(GraphError) {
    let x = try map(context)
    let weight = try tensor(context.node.inputs[1])
    let groups = context.integer("group", 1)
    guard weight.shape.count == 4, groups > 0, weight.shape[0] == x.extents[1], weight.shape[1] < 1 << 20,
      context.text("auto_pad", "NOTSET") == "NOTSET", context.integers("output_shape") == nil
    else { throw GraphError("filters of shape \(weight.shape) over \(x.extents[1]) channels, or a given output shape") }
    let sliding = try sliding(context, kernel: Array(weight.shape[2...]), over: x.extents)
    let extra = context.integers("output_padding") ?? [0, 0]
    guard extra.count == 2, extra.allSatisfy({ (0..<1 << 16).contains($0) }) else {
      throw GraphError("output padding \(extra)")
    }
    let outputs = weight.shape[1] * groups
    let convolution = TransposedConvolution(
      weight: try variable(weight, context, role: "weight"), bias: try bias(context, 2, count: outputs),
      outputs: outputs,
      kernel: sliding.kernel, stride: sliding.stride, dilation: sliding.dilation, padding: sliding.padding,
      outputPadding: .init(height: extra[0], width: extra[1]), groups: groups)
    try emit(
      convolution, context, reading: [x.index],
      extents: [1] + convolution.shape(of: [network.nodes[x.index].shape]).extents)
  }

  private mutating func batchNormalization(_ context: NodeContext) throws(GraphError) {
    let x = try node(context.node.inputs[0])
    guard x.extents.count > 1, x.extents[0] == 1, context.node.inputs.count >= 5 else {
      throw GraphError("expected (batch, channels, ...), got \(x.extents)")
    }
    guard context.integer("training_mode", 0) == 0 else { throw GraphError("training mode: export with model.eval()") }
    var names: [String] = []
    for (input, role) in [(1, "weight"), (2, "bias"), (3, "running_mean"), (4, "running_var")] {
      let tensor = try tensor(context.node.inputs[input])
      guard tensor.count == x.extents[1] else { throw GraphError("\(role) of shape \(tensor.shape)") }
      names.append(try variable(tensor, context, role: role))
    }
    let normalization = BatchNormalization(
      weight: names[0], bias: names[1], mean: names[2], variance: names[3], epsilon: context.float("epsilon", 1e-5),
      momentum: 1 - Double(context.float("momentum", 0.9)))
    try emit(normalization, context, reading: [x.index], extents: x.extents)
  }

  private mutating func groupNormalization(_ context: NodeContext, groups: Int) throws(GraphError) {
    let x = try node(context.node.inputs[0])
    let weight = try tensor(context.node.inputs[1])
    let bias = try tensor(context.node.inputs[2])
    guard x.extents.count > 1, x.extents[0] == 1, weight.count == x.extents[1], bias.count == x.extents[1] else {
      throw GraphError(
        "expected (batch, channels, ...) with a scale for each channel, got \(x.extents), \(weight.shape)")
    }
    let normalization = GroupNormalization(
      weight: try variable(weight, context, role: "weight"), bias: try variable(bias, context, role: "bias"),
      groups: groups, epsilon: context.float("epsilon", 1e-5))
    try emit(normalization, context, reading: [x.index], extents: x.extents)
  }

  private mutating func pool(_ context: NodeContext, _ make: (Window) -> any Operator) throws(GraphError) {
    let x = try map(context)
    guard context.node.outputs.count == 1, context.integer("storage_order", 0) == 0 else {
      throw GraphError("its indices are asked for")
    }
    let sliding = try sliding(context, kernel: context.integers("kernel_shape") ?? [], over: x.extents)
    let kind = make(
      Window(
        kernel: sliding.kernel, stride: sliding.stride, dilation: sliding.dilation, padding: sliding.padding,
        roundsUp: context.integer("ceil_mode", 0) != 0))
    try emit(kind, context, reading: [x.index], extents: [1] + kind.shape(of: [network.nodes[x.index].shape]).extents)
  }
}
