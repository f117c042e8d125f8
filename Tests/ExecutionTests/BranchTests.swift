import Graph
import GraphSupport
import Operators
import Testing

/// Blocks that add two branches, in either order.
@Suite struct `Branches of a block` {
  /// The sum is fused into the normalisation of its first addend. torchvision's RegNet adds the block to the shortcut:
  /// then the shortcut's normalisation runs last, though its parameters lie with the shortcut.
  @Test(arguments: [true, false])
  func `are differentiated, and each gradient is final when it is said to be`(shortcutFirst: Bool) throws {
    var network = Network(input: SampleShape(3, 6, 6))
    let stem = try convolution(0, "stem", 4, kernel: 3, in: &network)
    let shortcut = try convolution(stem, "proj", 5, kernel: 1, in: &network)
    let first = try network.append(
      SiLU(), named: "act", reading: try convolution(stem, "a", 5, kernel: 1, in: &network))
    let second = try convolution(first, "b", 5, kernel: 3, in: &network)
    let addends = shortcutFirst ? [shortcut, second] : [second, shortcut]
    let sum = try network.append(Add(), named: "sum", reading: addends[0], addends[1])
    let end = try network.append(ReLU(), named: "end", reading: sum)
    let pooled = try network.append(GlobalAveragePool(), named: "pooled", reading: end)
    let logits = try network.append(Dense("fc", outputs: 7), named: "fc", reading: pooled)
    network.endTrunk(logits: logits, features: pooled)
    try GradientCheck(network, samples: 5, pieceSize: 2).expectCentralDifferences(within: 1e-2)
  }

  private func convolution(
    _ x: Int, _ name: String, _ outputs: Int, kernel: Int, in network: inout Network
  ) throws -> Int {
    let convolved = try network.append(
      Convolution(weight: "\(name).weight", outputs: outputs, kernel: .init(kernel), padding: .init(kernel / 2)),
      named: name, reading: x)
    return try network.append(BatchNormalization("\(name).bn"), named: "\(name).bn", reading: convolved)
  }
}
