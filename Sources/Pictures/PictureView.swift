import Images

/// How a picture of any size becomes one of the network's.
package struct PictureView: Hashable, Sendable {
  /// What the network reads.
  package let shape: ImageShape
  /// The shorter side before the crop; nil where all pictures have the shape's size already.
  package let shorterSide: Int?
  /// The middle is cut out; else the picture is squashed, whatever its aspect ratio.
  package let crops: Bool

  package init(shape: ImageShape, shorterSide: Int?, crops: Bool) {
    self.shape = shape
    self.shorterSide = shorterSide
    self.crops = crops
  }

  func apply(_ picture: Picture) -> Picture {
    guard crops else { return picture.resized(width: shape.width, height: shape.height) }
    let resized = shorterSide.map { picture.resized(shorterSide: $0) } ?? picture
    return resized.centreCropped(width: shape.width, height: shape.height)
  }

  /// Tells two views apart.
  package var text: String { "\(shape) \(shorterSide ?? 0) \(crops)" }
}
