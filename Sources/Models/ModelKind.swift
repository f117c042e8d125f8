/// The networks a configuration can name.
public enum ModelKind: String, CaseIterable, Sendable {
  case resnet20, resnet8, resnet32, resnet44, resnet56, resnet110, mlp
  case resnet18, resnet34, resnet50, resnet101
  case wideResNet16x4 = "wrn-16-4"
  case wideResNet28x10 = "wrn-28-10"
  /// A file's (`GraphFile`).
  case onnx
}

/// How a ResNet of ImageNet's begins: a 7x7 convolution of stride 2 and max pooling, or a 3x3 convolution for small
/// images.
public enum Stem: String, CaseIterable, Sendable {
  case imagenet, small
}

/// A file's network: with its weights, or with first values of our own.
public enum Initialization: String, CaseIterable, Sendable {
  case file, fresh
}
