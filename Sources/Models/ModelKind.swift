/// The networks a configuration can name.
public enum ModelKind: String, CaseIterable, Sendable {
  case resnet20, resnet8, resnet32, resnet44, resnet56, resnet110, mlp
  case resnet18, resnet34, resnet50, resnet101
  case wideResNet16x4 = "wrn-16-4"
  case wideResNet28x10 = "wrn-28-10"
  /// A file's (`GraphFile`).
  case onnx
}
