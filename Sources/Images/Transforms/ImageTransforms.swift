/// All transforms that configurations can name.
package enum ImageTransforms {
  package static let all: [any ImageTransform.Type] = [
    RandomResizedCrop.self,
    PadCrop.self,
    Flip.self,
    ColorJitter.self,
    RandAugment.self,
    RandomErasing.self,
  ]

  package static func named(_ name: String) -> (any ImageTransform.Type)? { all.first { $0.name == name } }
}
