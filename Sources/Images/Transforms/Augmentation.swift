/// A random change of training images, with its parameters, as configurations name it.
package struct Augmentation: Hashable, Sendable {
  /// Of `ImageTransforms.all`.
  package let name: String
  /// The transform's parameters, in its order.
  package let values: [[Double]]

  /// nil where there is no such transform, or a parameter is not known or not allowed.
  package init?(_ name: String, _ given: [String: [Double]] = [:]) {
    guard let type = ImageTransforms.named(name) else { return nil }
    let parameters = type.parameters
    guard given.keys.allSatisfy({ key in parameters.contains { $0.name == key } }) else { return nil }
    values = parameters.map { given[$0.name] ?? $0.fallback }
    guard zip(parameters, values).allSatisfy({ $0.allows($1) }) else { return nil }
    self.name = name
  }

  package static let padCrop = Augmentation(PadCrop.name)!
  package static let flip = Augmentation(Flip.name)!

  package var transform: any ImageTransform { ImageTransforms.named(name)!.init(values: values) }

  /// Whether it cuts its part out of a picture of any size.
  package var needsWholePicture: Bool { transform.givesSize }
}
