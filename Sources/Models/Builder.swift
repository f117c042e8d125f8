import Graph
import Kernels
import Operators

/// Writes a network layer by layer, under PyTorch's names.
struct Builder {
  var network: Network
  /// The rate of dropout before the last layer.
  var dropout = 0.0

  init(input: SampleShape) { network = Network(input: input) }

  /// y = relu?(batchNorm(x * w)); padded so that stride 1 keeps the size.
  mutating func convolution(
    _ x: Int, _ name: String, outputs: Int, kernel: Int, stride: Int, padding: Int? = nil, normalization: String,
    relu: Bool
  ) throws(GraphError) -> Int {
    let convolution = Operators.Convolution(
      weight: "\(name).weight", outputs: outputs, kernel: .init(kernel), stride: .init(stride),
      padding: .init(padding ?? kernel / 2))
    let convolved = try network.append(convolution, named: name, reading: x)
    let normalized = try network.append(BatchNormalization(normalization), named: normalization, reading: convolved)
    return relu ? try network.append(ReLU(), named: "\(normalization).relu", reading: normalized) : normalized
  }

  /// relu(bn2(conv2(relu(bn1(conv1(x))))) + shortcut(x))
  mutating func basicBlock(_ x: Int, _ name: String, outputs: Int, stride: Int, shortcut: Shortcut) throws(GraphError)
    -> Int
  {
    let addend = try self.shortcut(x, name, outputs: outputs, stride: stride, kind: shortcut)
    let hidden = try convolution(
      x, "\(name).conv1", outputs: outputs, kernel: 3, stride: stride, normalization: "\(name).bn1", relu: true)
    let last = try convolution(
      hidden, "\(name).conv2", outputs: outputs, kernel: 3, stride: 1, normalization: "\(name).bn2", relu: false)
    return try add(last, addend, name)
  }

  /// relu(x + addend)
  mutating func add(_ x: Int, _ addend: Int, _ name: String) throws(GraphError) -> Int {
    let sum = try network.append(Add(), named: "\(name).add", reading: x, addend)
    return try network.append(ReLU(), named: name, reading: sum)
  }

  /// What a residual block adds.
  mutating func shortcut(_ x: Int, _ name: String, outputs: Int, stride: Int, kind: Shortcut) throws(GraphError) -> Int
  {
    if stride == 1 && network.nodes[x].shape[0] == outputs { return x }
    switch kind {
    case .projection:
      return try convolution(
        x, "\(name).downsample.0", outputs: outputs, kernel: 1, stride: stride, normalization: "\(name).downsample.1",
        relu: false)
    case .pad:
      return try network.append(PadShortcut(outputs: outputs, stride: stride), named: "\(name).shortcut", reading: x)
    }
  }

  /// The mean over positions and a dense layer "fc": the network is complete.
  mutating func classifier(reading x: Int, classes: Int) throws(GraphError) -> Network {
    try head("fc", reading: network.append(GlobalAveragePool(), named: "avgpool", reading: x), classes: classes)
  }

  /// Dropout, if there is any, and the last dense layer.
  mutating func head(_ name: String, reading features: Int, classes: Int) throws(GraphError) -> Network {
    var last = features
    if dropout > 0 { last = try network.append(Dropout(rate: dropout), named: "dropout", reading: last) }
    let logits = try network.append(Dense(name, outputs: classes), named: name, reading: last)
    network.endTrunk(logits: logits, features: features)
    return network
  }
}
