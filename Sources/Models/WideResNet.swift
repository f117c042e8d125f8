import Graph
import Kernels
import Operators

extension Builder {
  /// A wide ResNet for small images (Zagoruyko and Komodakis 2016), depth 6n + 4: a 3x3 stem of 16 channels, three
  /// stages of n pre-activation blocks with 16, 32 and 64 times `width` channels, batch normalisation, global average
  /// pooling, one dense layer. Where a block changes the shape, its shortcut reads what its first normalisation gives.
  /// Taps: "block1" to "block3" (the stages; the default) and every block "blockS.layer.B".
  mutating func wideResNet(depth: Int, width: Int, classes: Int) throws(GraphError) -> Network {
    precondition(depth % 6 == 4, "a wide ResNet has depth 6n + 4, not \(depth)")
    var last = try plain(0, "conv1", outputs: 16, kernel: 3, stride: 1)
    for (stage, channels) in [16, 32, 64].enumerated() {
      for block in 0..<(depth - 4) / 6 {
        let name = "block\(stage + 1).layer.\(block)"
        last = try preactivation(last, name, outputs: channels * width, stride: stage > 0 && block == 0 ? 2 : 1)
        network.tap(last, as: name, byDefault: false)
      }
      network.tap(last, as: "block\(stage + 1)", byDefault: true)
    }
    return try classifier(reading: normalized(last, "bn1"), classes: classes)
  }

  /// conv2(relu(bn2(conv1(relu(bn1(x)))))) + shortcut
  private mutating func preactivation(_ x: Int, _ name: String, outputs: Int, stride: Int) throws(GraphError) -> Int {
    let first = try normalized(x, "\(name).bn1")
    let isSame = stride == 1 && network.nodes[x].shape[0] == outputs
    let addend = isSame ? x : try plain(first, "\(name).convShortcut", outputs: outputs, kernel: 1, stride: stride)
    let hidden = try plain(first, "\(name).conv1", outputs: outputs, kernel: 3, stride: stride)
    let last = try plain(
      normalized(hidden, "\(name).bn2"), "\(name).conv2", outputs: outputs, kernel: 3, stride: 1)
    return try network.append(Add(), named: name, reading: last, addend)
  }

  private mutating func plain(_ x: Int, _ name: String, outputs: Int, kernel: Int, stride: Int) throws(GraphError)
    -> Int
  {
    let convolution = Operators.Convolution(
      weight: "\(name).weight", outputs: outputs, kernel: .init(kernel), stride: .init(stride),
      padding: .init(kernel / 2))
    return try network.append(convolution, named: name, reading: x)
  }

  /// relu(batchNorm(x))
  private mutating func normalized(_ x: Int, _ name: String) throws(GraphError) -> Int {
    let normalized = try network.append(BatchNormalization(name), named: name, reading: x)
    return try network.append(ReLU(), named: "\(name).relu", reading: normalized)
  }
}
