import Foundation

/// A part of the picture of random area and aspect ratio, resized to the network's size: torchvision's
/// RandomResizedCrop.
package struct RandomResizedCrop: ImageTransform {
  package static let name = "random-resized-crop"
  package static let parameters: [TransformParameter] = [
    .range("scale", 0.08...1, above: 0, to: 1),
    .range("ratio", 3.0 / 4...4.0 / 3, above: 0, to: 1000),
  ]
  /// Of the picture's area.
  let scale: ClosedRange<Double>
  /// Width by height.
  let ratio: ClosedRange<Double>

  package init(values: [[Double]]) {
    scale = values[0][0]...values[0][1]
    ratio = values[1][0]...values[1][1]
  }

  package var changesPixels: Bool { true }
  package var givesSize: Bool { true }

  /// Ten tries to find a box inside the picture; then the largest one in its middle of an allowed ratio.
  package func box(width: Int, height: Int, at address: SampleAddress) -> PixelBox {
    var stream = address.stream(.randomResizedCrop)
    let logRatio = log(ratio.lowerBound)...log(ratio.upperBound)
    for _ in 0..<10 {
      let area = Double(width * height) * stream.uniform(in: scale)
      let aspect = exp(stream.uniform(in: logRatio))
      let w = Int((area * aspect).squareRoot().rounded(.toNearestOrEven))
      let h = Int((area / aspect).squareRoot().rounded(.toNearestOrEven))
      guard 1...width ~= w, 1...height ~= h else { continue }
      let y = stream.integer(below: height - h + 1)
      return PixelBox(x: stream.integer(below: width - w + 1), y: y, width: w, height: h)
    }
    return Self.central(width: width, height: height, ratio: ratio)
  }

  package static func central(width: Int, height: Int, ratio: ClosedRange<Double>) -> PixelBox {
    let own = Double(width) / Double(height)
    var (w, h) = (width, height)
    if own < ratio.lowerBound {
      h = max(1, Int((Double(w) / ratio.lowerBound).rounded(.toNearestOrEven)))
    } else if own > ratio.upperBound {
      w = max(1, Int((Double(h) * ratio.upperBound).rounded(.toNearestOrEven)))
    }
    return PixelBox(x: (width - w) / 2, y: (height - h) / 2, width: w, height: h)
  }

  package func changed(_ picture: Picture, to size: PixelSize, at address: SampleAddress) -> Picture {
    picture.resized(
      width: size.width, height: size.height,
      from: box(width: picture.width, height: picture.height, at: address))
  }
}
