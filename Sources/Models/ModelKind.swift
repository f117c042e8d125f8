import Graph

/// The networks a configuration can name.
public enum ModelKind: String, CaseIterable, Sendable {
  case resnet20, resnet8, resnet32, resnet44, resnet56, resnet110, mlp
}

extension Network {
  /// The network of a configuration.
  package static func make(
    _ kind: ModelKind, shortcut: Shortcut, hidden: [Int], input: SampleShape, classes: Int
  ) throws(GraphError) -> Network {
    switch kind {
    case .resnet8: try resNet(depth: 8, shortcut: shortcut, input: input, classes: classes)
    case .resnet20: try resNet(depth: 20, shortcut: shortcut, input: input, classes: classes)
    case .resnet32: try resNet(depth: 32, shortcut: shortcut, input: input, classes: classes)
    case .resnet44: try resNet(depth: 44, shortcut: shortcut, input: input, classes: classes)
    case .resnet56: try resNet(depth: 56, shortcut: shortcut, input: input, classes: classes)
    case .resnet110: try resNet(depth: 110, shortcut: shortcut, input: input, classes: classes)
    case .mlp: try mlp(hidden: hidden, input: input, classes: classes)
    }
  }
}
