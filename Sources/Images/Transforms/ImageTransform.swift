import Kernels

/// A random change of training images. Conforming is a file; being known is a line of `ImageTransforms.all`.
package protocol ImageTransform: Sendable {
  /// As configurations name it.
  static var name: String { get }
  /// What configurations may say of it, in order; the first may stand without its name.
  static var parameters: [TransformParameter] { get }
  /// `values` has the parameters' values in their order, each allowed.
  init(values: [[Double]])

  /// Whether bytes change, not only where they come to lie.
  var changesPixels: Bool { get }
  /// Whether it takes a picture of any size and gives one of `size`.
  var givesSize: Bool { get }
  func changed(_ picture: Picture, to size: PixelSize, at address: SampleAddress) -> Picture
  func place(_ placement: inout Placement, in size: PixelSize, at address: SampleAddress)
}

extension ImageTransform {
  package static var parameters: [TransformParameter] { [] }
  package var changesPixels: Bool { false }
  package var givesSize: Bool { false }
  package func changed(_ picture: Picture, to size: PixelSize, at address: SampleAddress) -> Picture { picture }
  package func place(_ placement: inout Placement, in size: PixelSize, at address: SampleAddress) {}
}
