import Graph
import GraphSupport
import Models
import Operators
import Testing

/// Images from 8x8 to 512x512, rectangular ones, and a thousand classes: gradients against central differences.
@Suite struct `Networks of any size` {
  @Test(arguments: [SampleShape(3, 8, 8), SampleShape(1, 9, 8), SampleShape(3, 20, 12), SampleShape(3, 8, 40)])
  func `in code are differentiated for square and other images`(input: SampleShape) throws {
    let network = try Network.make(.resnet8, shortcut: .projection, hidden: [], input: input, classes: 1000)
    // ReLUs at their kinks.
    try GradientCheck(network, samples: 4, pieceSize: 3).expectCentralDifferences(within: 2e-2, step: 1e-3)
  }

  /// What needs memory for a whole map, in a network that is cheap at 512x512: padding on the image's rims, strides
  /// that divide it and that do not, pooling, and channels that are no multiple of a vector.
  @Test(arguments: [SampleShape(3, 512, 512), SampleShape(3, 511, 13), SampleShape(2, 8, 512)])
  func `of convolutions and pooling are differentiated up to 512 pixels a side`(input: SampleShape) throws {
    var network = Network(input: input)
    let stem = try network.append(
      Convolution(
        weight: "stem.weight", bias: "stem.bias", outputs: 5, kernel: .init(7), stride: .init(3), padding: .init(3)),
      named: "stem", reading: 0)
    let norm = try network.append(
      BatchNormalization(
        weight: "bn.weight", bias: "bn.bias", mean: "bn.mean", variance: "bn.var", epsilon: 1e-5, momentum: 0.1),
      named: "bn", reading: stem)
    let act = try network.append(SiLU(), named: "act", reading: norm)
    let depth = try network.append(
      Convolution(weight: "depth.weight", outputs: 5, kernel: .init(3), padding: .init(1), groups: 5), named: "depth",
      reading: act)
    let sum = try network.append(Add(), named: "sum", reading: depth, act)
    let pool = try network.append(
      AveragePool(Window(kernel: .init(3), stride: .init(2), padding: .init(1)), countsPadding: false), named: "pool",
      reading: sum)
    let pooled = try network.append(GlobalAveragePool(), named: "pooled", reading: pool)
    let logits = try network.append(Dense("fc", outputs: 7), named: "fc", reading: pooled)
    network.endTrunk(logits: logits, features: pooled)
    try GradientCheck(network, samples: 2, pieceSize: 1).expectCentralDifferences(within: 1e-2, step: 1e-2)
  }
}
