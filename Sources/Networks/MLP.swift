import Kernels

extension Architecture {
  /// Dense layers with ReLU between them on the flattened input: fc1, fc2, ...; the last one gives the logits.
  /// Taps: the hidden layers, all of them by default.
  package static func mlp(hidden: [Int], input: Shape, classes: Int) -> Architecture {
    var network = Architecture(input: input, classes: classes)
    var last = network.append(
      .flatten, reading: 0, shape: Shape(batch: 1, channels: input.sampleCount))
    for (index, width) in hidden.enumerated() {
      let name = "fc\(index + 1)"
      last = network.append(
        .linear(name: name, relu: true), reading: last, shape: Shape(batch: 1, channels: width))
      network.tap(last, as: name, byDefault: true)
    }
    _ = network.append(
      .linear(name: "fc\(hidden.count + 1)", relu: false), reading: last, shape: Shape(batch: 1, channels: classes))
    return network
  }

  /// The network of a configuration.
  package static func make(_ kind: ModelKind, shortcut: Shortcut, hidden: [Int], input: Shape, classes: Int)
    -> Architecture
  {
    let depth: Int
    switch kind {
    case .resnet8: depth = 8
    case .resnet20: depth = 20
    case .resnet32: depth = 32
    case .resnet44: depth = 44
    case .resnet56: depth = 56
    case .resnet110: depth = 110
    case .mlp: return mlp(hidden: hidden, input: input, classes: classes)
    }
    return resNet(depth: depth, shortcut: shortcut, input: input, classes: classes)
  }
}
