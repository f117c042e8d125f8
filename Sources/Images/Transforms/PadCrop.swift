/// A crop out of zero padding: moves the picture by up to `padding` pixels.
package struct PadCrop: ImageTransform {
  package static let name = "pad-crop"
  package static let parameters: [TransformParameter] = [.number("padding", 4, from: 1, to: 1024, whole: true)]
  let padding: Int

  package init(values: [[Double]]) { padding = Int(values[0][0]) }

  package func place(_ placement: inout Placement, in size: PixelSize, at address: SampleAddress) {
    var stream = address.stream(.augmentation)
    placement.rows = stream.integer(below: 2 * padding + 1) - padding
    placement.columns = stream.integer(below: 2 * padding + 1) - padding
  }
}
