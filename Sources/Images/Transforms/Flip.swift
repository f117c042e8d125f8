/// Mirrors one picture in two, left to right.
package struct Flip: ImageTransform {
  package static let name = "flip"

  package init(values: [[Double]]) {}

  package func place(_ placement: inout Placement, in size: PixelSize, at address: SampleAddress) {
    // The third number of pad-crop's stream, whether or not that is on.
    var stream = address.stream(.augmentation)
    _ = (stream.next(), stream.next())
    placement.flip = stream.integer(below: 2) == 1
  }
}
