import Foundation

/// A box of the network's input becomes the mean pixel: torchvision's RandomErasing with value 0, after normalisation.
package struct RandomErasing: ImageTransform {
  package static let name = "random-erasing"
  package static let parameters: [TransformParameter] = [
    .number("probability", 0.5, from: 0, to: 1), .range("scale", 0.02...0.33, above: 0, to: 1),
    .range("ratio", 0.3...3.3, above: 0, to: 1000),
  ]
  let probability: Double
  /// Of the picture's area.
  let scale: ClosedRange<Double>
  /// Height by width.
  let ratio: ClosedRange<Double>

  package init(values: [[Double]]) {
    probability = values[0][0]
    scale = values[1][0]...values[1][1]
    ratio = values[2][0]...values[2][1]
  }

  /// nil where nothing is erased: by chance, or since ten boxes were not smaller than the picture.
  package func box(in size: PixelSize, at address: SampleAddress) -> PixelBox? {
    var stream = address.stream(.randomErasing)
    guard stream.uniform() < probability else { return nil }
    let logRatio = log(ratio.lowerBound)...log(ratio.upperBound)
    for _ in 0..<10 {
      let area = Double(size.width * size.height) * stream.uniform(in: scale)
      let aspect = exp(stream.uniform(in: logRatio))
      let h = Int((area * aspect).squareRoot().rounded(.toNearestOrEven))
      let w = Int((area / aspect).squareRoot().rounded(.toNearestOrEven))
      guard h > 0, w > 0, h < size.height, w < size.width else { continue }
      let y = stream.integer(below: size.height - h + 1)
      return PixelBox(x: stream.integer(below: size.width - w + 1), y: y, width: w, height: h)
    }
    return nil
  }

  package func place(_ placement: inout Placement, in size: PixelSize, at address: SampleAddress) {
    if let box = box(in: size, at: address) { placement.erased.append(box) }
  }
}
