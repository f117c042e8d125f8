import Kernels

/// Pixel bytes of a sample to its float32 network input, channels last: normalised by table, and augmented by draws
/// that (seed, epoch, sample) address.
package struct SampleTransform: Sendable {
  /// What is drawn for one sample of one epoch.
  struct Draw: Equatable {
    /// Rows and columns by which the image is shifted up and left, -padding...padding.
    var rows = 0
    var columns = 0
    /// Mirrored left to right, after the crop.
    var flip = false
  }

  /// pad-crop's zeros on each side, pixels.
  static let padding = 4

  package let shape: ImageShape
  package let normalization: Normalization
  let crops: Bool
  let flips: Bool
  let seed: Int

  package init(
    shape: ImageShape, normalization: Normalization, augmentations: [Augmentation] = [], seed: Int = 0
  ) {
    precondition(normalization.mean.count == shape.channels, "\(normalization.mean.count) means for \(shape)")
    (self.shape, self.normalization, self.seed) = (shape, normalization, seed)
    crops = augmentations.contains(.padCrop)
    flips = augmentations.contains(.flip)
  }

  /// All three numbers are drawn whatever is switched on, so that switching one off does not change the other.
  func draw(epoch: Int, sample: Int) -> Draw {
    guard crops || flips else { return Draw() }
    var stream = RandomStream(seed: seed, purpose: .augmentation, epoch: epoch, sample: sample)
    let rows = stream.integer(below: 2 * Self.padding + 1) - Self.padding
    let columns = stream.integer(below: 2 * Self.padding + 1) - Self.padding
    let flip = stream.integer(below: 2) == 1
    return Draw(rows: crops ? rows : 0, columns: crops ? columns : 0, flip: flips && flip)
  }

  /// Writes one sample as the given epoch sees it. pixels: CHW; output: `shape.count` floats, HWC.
  package func write(
    _ pixels: UnsafePointer<UInt8>, epoch: Int, sample: Int, into output: UnsafeMutablePointer<Float>
  ) {
    write(pixels, as: draw(epoch: epoch, sample: sample), into: output)
  }

  /// output[y, x, c] = normalised pixels[c, y + rows, x' + columns], 0 outside, where x' is x, or width - 1 - x.
  ///
  /// 0 is the mean pixel: the padding is put in after normalisation.
  func write(_ pixels: UnsafePointer<UInt8>, as draw: Draw, into output: UnsafeMutablePointer<Float>) {
    let (channels, height, width) = (shape.channels, shape.height, shape.width)
    if draw.rows != 0 || draw.columns != 0 { output.update(repeating: 0, count: shape.count) }
    // The part of the crop window that lies inside the image; empty for an image smaller than the shift.
    let firstRow = max(0, -draw.rows)
    let endRow = max(firstRow, min(height, height - draw.rows))
    let firstColumn = max(0, -draw.columns)
    let inside = max(0, min(width, width - draw.columns) - firstColumn)
    let step = draw.flip ? -channels : channels
    normalization.table.withUnsafeBufferPointer { table in
      for channel in 0..<channels {
        let values = table.baseAddress! + channel * 256
        for y in firstRow..<endRow {
          let source = pixels + (channel * height + y + draw.rows) * width + firstColumn + draw.columns
          let x = draw.flip ? width - 1 - firstColumn : firstColumn
          var target = (y * width + x) * channels + channel
          for column in 0..<inside {
            output[target] = values[Int(source[column])]
            target += step
          }
        }
      }
    }
  }
}

extension Dataset {
  /// Writes the samples of `range`, normalised and not augmented, to the first `range.count` images of `tensor`
  /// (NHWC): what evaluation reads.
  package func normalized(_ range: Range<Int>, by normalization: Normalization, into tensor: Tensor) {
    precondition(
      range.count * shape.count <= tensor.count, "\(range.count) samples of \(shape) into \(tensor.shape)")
    normalized(range, by: normalization, into: tensor.pointer)
  }

  /// The same into memory for `range.count` images.
  package func normalized(
    _ range: Range<Int>, by normalization: Normalization, into images: UnsafeMutablePointer<Float>
  ) {
    let transform = SampleTransform(shape: shape, normalization: normalization)
    for (at, sample) in range.enumerated() {
      withPixels(of: sample) { transform.write($0, as: .init(), into: images + at * shape.count) }
    }
  }
}
