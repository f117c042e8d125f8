/// How a ResNet of ImageNet's begins: a 7x7 convolution of stride 2 and max pooling, or a 3x3 convolution for small
/// images.
public enum Stem: String, CaseIterable, Sendable {
  case imagenet, small
}
