import Graph

/// What a network in code is made from.
package struct ModelChoice: Sendable {
  package var kind: ModelKind
  package var shortcut = Shortcut.projection
  package var stem = Stem.imagenet
  /// Widths of an MLP's hidden layers.
  package var hidden: [Int] = []
  /// Of dropout before the last layer.
  package var dropout = 0.0

  package init(
    kind: ModelKind, shortcut: Shortcut = .projection, stem: Stem = .imagenet, hidden: [Int] = [], dropout: Double = 0
  ) {
    self.kind = kind
    self.shortcut = shortcut
    self.stem = stem
    self.hidden = hidden
    self.dropout = dropout
  }
}

extension Network {
  /// A network in code. Throws where the images are too small for it; a file's network is `GraphFile`'s.
  package static func make(_ options: ModelChoice, input: SampleShape, classes: Int) throws(GraphError) -> Network {
    var builder = Builder(input: input)
    builder.dropout = options.dropout
    func small(_ depth: Int) throws(GraphError) -> Network {
      try builder.smallResNet(depth: depth, shortcut: options.shortcut, classes: classes)
    }
    func large(_ blocks: [Int], _ block: ResidualBlock) throws(GraphError) -> Network {
      try builder.resNet(blocks: blocks, block, stem: options.stem, classes: classes)
    }
    switch options.kind {
    case .resnet8: return try small(8)
    case .resnet20: return try small(20)
    case .resnet32: return try small(32)
    case .resnet44: return try small(44)
    case .resnet56: return try small(56)
    case .resnet110: return try small(110)
    case .resnet18: return try large([2, 2, 2, 2], .basic)
    case .resnet34: return try large([3, 4, 6, 3], .basic)
    case .resnet50: return try large([3, 4, 6, 3], .bottleneck)
    case .resnet101: return try large([3, 4, 23, 3], .bottleneck)
    case .wideResNet16x4: return try builder.wideResNet(depth: 16, width: 4, classes: classes)
    case .wideResNet28x10: return try builder.wideResNet(depth: 28, width: 10, classes: classes)
    case .mlp: return try builder.mlp(hidden: options.hidden, classes: classes)
    case .onnx: preconditionFailure("a file's network is not made in code")
    }
  }

  /// As above, of what tests name.
  package static func make(
    _ kind: ModelKind, shortcut: Shortcut, hidden: [Int], input: SampleShape, classes: Int
  ) throws(GraphError) -> Network {
    try make(ModelChoice(kind: kind, shortcut: shortcut, hidden: hidden), input: input, classes: classes)
  }
}
