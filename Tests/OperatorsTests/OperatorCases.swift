import Graph
import Kernels
import Operators
import Testing

/// A case of make_operators.py: nodes after node 0 of a network that give its y.
struct OperatorCase: Sendable, CustomTestStringConvertible {
  let name: String
  /// Where a ReLU's or a maximum's kink is, central differences see both sides; such a case has PyTorch's values alone.
  var hasKinks = false
  let build: @Sendable (inout OperatorCase.Builder) throws -> Int
  var testDescription: String { name }

  struct Builder {
    var network: Network
    private var count = 0

    init(_ network: Network) { self.network = network }

    mutating func callAsFunction(_ operator: any Operator, _ inputs: Int...) throws -> Int {
      count += 1
      return try network.append(`operator`, named: "node\(count)", reading: inputs.isEmpty ? [0] : inputs)
    }
    func shape(_ node: Int) -> SampleShape { network.nodes[node].shape }

    /// Both halves of the channels.
    mutating func halves() throws -> (Int, Int) {
      let half = shape(0)[0] / 2
      return (
        try self(Slice(.init(start: 0, count: half), axis: 0, of: shape(0)), 0),
        try self(Slice(.init(start: half, count: half), axis: 0, of: shape(0)), 0)
      )
    }
    /// |x| + 0.5
    mutating func positive(_ x: Int = 0) throws -> Int {
      try self(Affine(scale: 1, shift: 0.5), try self(Absolute(), x))
    }
  }

  static func one(_ name: String, hasKinks: Bool = false, _ operator: any Operator) -> OperatorCase {
    OperatorCase(name: name, hasKinks: hasKinks) { try $0(`operator`, 0) }
  }
  static func convolution(_ name: String, _ convolution: Operators.Convolution) -> OperatorCase {
    one(name, convolution)
  }
  static func parameter(_ name: String, _ shape: Int...) -> OwnOperand {
    OwnOperand(.parameter(Variable(name, shape, start: .constant(1))), shape: SampleShape(Array(shape.suffix(3))))
  }

  static let all: [OperatorCase] = [
    .convolution("conv", .init(weight: "weight", outputs: 6, kernel: .init(3), padding: .init(1))),
    .convolution(
      "conv_bias_stride",
      .init(
        weight: "weight", bias: "bias", outputs: 6, kernel: .init(height: 3, width: 2),
        stride: .init(height: 2, width: 1), padding: .init(top: 1, left: 0, bottom: 1, right: 0))),
    .convolution(
      "conv_dilated",
      .init(weight: "weight", bias: "bias", outputs: 4, kernel: .init(3), dilation: .init(2), padding: .init(2))),
    .convolution(
      "conv_groups", .init(weight: "weight", outputs: 12, kernel: .init(3), padding: .init(1), groups: 4)),
    .convolution(
      "conv_depthwise",
      .init(
        weight: "weight", bias: "bias", outputs: 8, kernel: .init(3), stride: .init(2), padding: .init(1), groups: 8)),
    .convolution(
      "conv_depthwise_5", .init(weight: "weight", outputs: 8, kernel: .init(5), padding: .init(2), groups: 8)),
    .convolution("conv_pointwise", .init(weight: "weight", bias: "bias", outputs: 20, kernel: .init(1))),
    .convolution(
      "conv_asymmetric",
      .init(
        weight: "1.weight", outputs: 6, kernel: .init(3), stride: .init(2),
        padding: .init(top: 2, left: 0, bottom: 1, right: 1))),
    .one(
      "conv_transposed",
      TransposedConvolution(
        weight: "weight", bias: "bias", outputs: 6, kernel: .init(3), stride: .init(2), padding: .init(1),
        outputPadding: .init(1))),
    .one(
      "conv_transposed_groups",
      TransposedConvolution(
        weight: "weight", bias: nil, outputs: 4, kernel: .init(2), stride: .init(2), groups: 2)),
    .one(
      "batch_norm",
      BatchNormalization(
        weight: "weight", bias: "bias", mean: "mean", variance: "variance", epsilon: 1e-5, momentum: 0.1)),
    .one("layer_norm", LayerNormalization(weight: "weight", bias: "bias")),
    .one("layer_norm_two", LayerNormalization(weight: "weight", bias: "bias", axes: 2)),
    OperatorCase(name: "layer_norm_channels") {
      let last = try $0(Transpose([1, 2, 0]), 0)
      return try $0(
        Transpose([2, 0, 1]), try $0(LayerNormalization(weight: "weight", bias: "bias", epsilon: 1e-6), last))
    },
    .one("group_norm", GroupNormalization(weight: "weight", bias: "bias", groups: 4)),
    .one("relu", hasKinks: true, ReLU()), .one("leaky_relu", hasKinks: true, LeakyReLU(negativeSlope: 0.2)),
    .one("clip", hasKinks: true, Clip(minimum: 0, maximum: 6)), .one("sigmoid", Sigmoid()), .one("silu", SiLU()),
    .one("hard_sigmoid", hasKinks: true, HardSigmoid()), .one("hard_swish", hasKinks: true, HardSwish()),
    .one("gelu", GELU()), .one("gelu_tanh", GELU(isApproximate: true)), .one("tanh", Tanh()),
    .one("elu", hasKinks: true, ELU(alpha: 0.7)), .one("softplus", Softplus()), .one("erf", Erf()),
    .one("exp", Exponential()), .one("abs", hasKinks: true, Absolute()), .one("neg", Affine(scale: -1)),
    OperatorCase(name: "sqrt", hasKinks: true) { try $0(SquareRoot(), try $0.positive()) },
    OperatorCase(name: "log", hasKinks: true) { try $0(Logarithm(), try $0.positive()) },
    OperatorCase(name: "power", hasKinks: true) { try $0(Power(1.7), try $0.positive()) },
    .one("square", Power(2)),
    OperatorCase(name: "reciprocal", hasKinks: true) { try $0(Reciprocal(), try $0.positive()) },
    .one("softmax_channels", Softmax(axis: 0)), .one("softmax_last", Softmax(axis: 1)),
    .one("max_pool", hasKinks: true, MaxPool(Window(kernel: .init(3), stride: .init(2), padding: .init(1)))),
    .one("max_pool_ceil", hasKinks: true, MaxPool(Window(kernel: .init(3), stride: .init(2), roundsUp: true))),
    .one(
      "max_pool_dilated", hasKinks: true,
      MaxPool(
        Window(
          kernel: .init(height: 2, width: 3), stride: .init(height: 1, width: 2), dilation: .init(height: 2, width: 1)))
    ),
    .one(
      "average_pool",
      AveragePool(Window(kernel: .init(3), stride: .init(2), padding: .init(1)), countsPadding: true)),
    .one(
      "average_pool_inside",
      AveragePool(Window(kernel: .init(3), stride: .init(2), padding: .init(1)), countsPadding: false)),
    .one(
      "average_pool_ceil",
      AveragePool(Window(kernel: .init(2), stride: .init(2), roundsUp: true), countsPadding: true)),
    .one("global_pool", GlobalAveragePool(keepsAxes: true)),
    .one("mean_tokens", Reduction([0], isMean: true, keepsAxes: false)),
    .one("sum_last", Reduction([2], isMean: false, keepsAxes: true)),
    OperatorCase(name: "add") {
      let (a, b) = try $0.halves()
      return try $0(Add(), a, b)
    },
    OperatorCase(name: "sub") {
      let (a, b) = try $0.halves()
      return try $0(Subtract(), a, b)
    },
    OperatorCase(name: "mul") {
      let (a, b) = try $0.halves()
      return try $0(Multiply(), a, b)
    },
    OperatorCase(name: "div", hasKinks: true) {
      let (a, b) = try $0.halves()
      return try $0(Divide(), a, try $0.positive(b))
    },
    OperatorCase(name: "squeeze_excite") {
      let mean = try $0(Reduction([1, 2], isMean: true, keepsAxes: true), 0)
      return try $0(Multiply(), 0, try $0(Sigmoid(), mean))
    },
    OperatorCase(name: "mul_position") {
      try $0(Multiply(), 0, try $0(Reduction([0], isMean: true, keepsAxes: true), 0))
    },
    OperatorCase(name: "div_channel", hasKinks: true) {
      let size = try $0(Absolute(), 0)
      let mean = try $0(Reduction([1, 2], isMean: true, keepsAxes: true), size)
      return try $0(Divide(), 0, try $0(Affine(shift: 0.5), mean))
    },
    .one("sub_from", Subtract(own: OwnOperand(2, rank: 3, isFirst: true))),
    .one("layer_scale", Multiply(own: parameter("scale", 8, 1, 1))),
    .one(
      "position_embedding",
      Add(own: OwnOperand(.parameter(Variable("table", [1, 5, 8], start: .constant(0))), shape: SampleShape(5, 8)))),
    OperatorCase(name: "concat") {
      let part = try $0(Slice(.init(start: 2, count: 3), axis: 0, of: $0.shape(0)), 0)
      let first = try $0(Slice(.init(start: 0, count: 1), axis: 0, of: $0.shape(0)), 0)
      return try $0(Concatenation(axis: 0), 0, try $0(Affine(scale: 2), part), first)
    },
    OperatorCase(name: "concat_width") { try $0(Concatenation(axis: 2), 0, try $0(Power(2), 0)) },
    .one(
      "slice",
      Slice([.init(start: 1, count: 3, step: 2), .init(start: 2, count: 5), .init(start: 0, count: 2, step: 3)])),
    .one("pad", Pad(before: [0, 0, 1], after: [0, 3, 2], value: 0.5)), .one("transpose", Transpose([2, 0, 1])),
    OperatorCase(name: "tokens") { try $0(Transpose([1, 0]), try $0(Reshape(SampleShape(8, 42)), 0)) },
    OperatorCase(name: "shuffle") {
      let grouped = try $0(Reshape(SampleShape(2, 4, 7, 6)), 0)
      return try $0(Reshape(SampleShape(8, 7, 6)), try $0(Transpose([1, 0, 2, 3]), grouped))
    },
    .one("flatten", Flatten()),
    OperatorCase(name: "expand") {
      try $0(Expand(SampleShape(8, 7, 6)), try $0(Reduction([1], isMean: true, keepsAxes: true), 0))
    },
    .one("gather", Gather(axis: 0, indices: [3, 0, 3])),
    OperatorCase(name: "class_token") {
      let token = try $0.network.append(
        Parameter(Variable("token", [1, 1, 8], start: .constant(0)), shape: SampleShape(1, 8)), named: "token",
        reading: [])
      return try $0(Concatenation(axis: 0), token, 0)
    },
    .one("linear", Projection(weight: "weight", bias: "bias", outputs: 12)),
    OperatorCase(name: "linear_map") {
      let last = try $0(Transpose([1, 2, 0]), 0)
      let product = try $0(Projection(weight: "weight", bias: nil, outputs: 12, isTransposed: true), last)
      return try $0(Transpose([2, 0, 1]), product)
    },
    OperatorCase(name: "matmul") { try $0(MatMul(), 0, try $0(Transpose([1, 0]), try $0(Tanh(), 0))) },
    OperatorCase(name: "matmul_plain") { try $0(MatMul(), try $0(Tanh(), 0), try $0(Sigmoid(), 0)) },
    OperatorCase(name: "attention") {
      let all = try $0(Projection(weight: "weight", bias: nil, outputs: 24), 0)
      let split = try $0(Transpose([1, 2, 0, 3]), try $0(Reshape(SampleShape(5, 3, 2, 4)), all))
      var parts: [Int] = []
      for index in 0..<3 {
        let part = try $0(Slice(.init(start: index, count: 1), axis: 0, of: $0.shape(split)), split)
        parts.append(try $0(Reshape(SampleShape(2, 5, 4)), part))
      }
      let scores = try $0(MatMul(), parts[0], try $0(Transpose([0, 2, 1]), parts[1]))
      let weights = try $0(Softmax(axis: 2), try $0(Affine(scale: 0.5), scores))
      let mixed = try $0(Transpose([1, 0, 2]), try $0(MatMul(), weights, parts[2]))
      return try $0(Projection(weight: "out", bias: nil, outputs: 8), try $0(Reshape(SampleShape(5, 8)), mixed))
    },
  ]
}
