import Files
import Images
import Kernels
import Pictures

/// A sample's pixels to its float32 network input, channels last: changed at random by draws that (seed, epoch, sample)
/// address, then normalised by table, then placed.
package struct SampleTransform: Sendable {
  package let shape: ImageShape
  package let normalization: Normalization
  private let transforms: [any ImageTransform]
  private let changesPixels: Bool
  private let needsWhole: Bool
  private let seed: Int

  package init(
    shape: ImageShape, normalization: Normalization, augmentations: [Augmentation] = [], seed: Int = 0
  ) {
    precondition(normalization.mean.count == shape.channels, "\(normalization.mean.count) means for \(shape)")
    self.shape = shape
    self.normalization = normalization
    self.seed = seed
    transforms = augmentations.map(\.transform)
    changesPixels = transforms.contains { $0.changesPixels }
    needsWhole = transforms.contains { $0.givesSize }
  }

  private func address(_ epoch: Int, _ sample: Int) -> SampleAddress {
    SampleAddress(seed: seed, epoch: epoch, sample: sample)
  }

  private var size: PixelSize { PixelSize(width: shape.width, height: shape.height) }

  private func placement(_ address: SampleAddress) -> Placement {
    var placement = Placement()
    for transform in transforms { transform.place(&placement, in: size, at: address) }
    return placement
  }

  /// Writes sample `sample` of a data set as the given epoch sees it: `shape.count` floats, HWC.
  package func write(
    _ sample: Int, of dataset: Dataset, epoch: Int, into output: UnsafeMutablePointer<Float>
  ) throws(FileError) {
    guard changesPixels || dataset.isDecoded else {
      return dataset.withPixelsInMemory(of: sample) { write($0, epoch: epoch, sample: sample, into: output) }
    }
    let address = address(epoch, sample)
    let picture = changed(try dataset.picture(of: sample, whole: needsWhole), at: address)
    picture.withPixels { write($0, .channelsLast(shape), as: placement(address), into: output) }
  }

  /// A picture after the changes of its pixels: of the network's size.
  package func changed(_ picture: Picture, at address: SampleAddress) -> Picture {
    transforms.reduce(picture) { $1.changesPixels ? $1.changed($0, to: size, at: address) : $0 }
  }

  /// What `sample` of `epoch` looks like, as bytes: before normalisation, with the mean where nothing is.
  package func picture(_ sample: Int, of dataset: Dataset, epoch: Int) throws(FileError) -> Picture {
    var floats = [Float](repeating: 0, count: shape.count)
    var failure: FileError?
    floats.withUnsafeMutableBufferPointer { buffer in
      do throws(FileError) { try write(sample, of: dataset, epoch: epoch, into: buffer.baseAddress!) } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    return normalization.picture(of: floats, shape: shape)!
  }

  /// Writes one sample as the given epoch sees it, of pixels that do not change. pixels: CHW; output: `shape.count`
  /// floats, HWC.
  package func write(
    _ pixels: UnsafePointer<UInt8>, epoch: Int, sample: Int, into output: UnsafeMutablePointer<Float>
  ) {
    write(pixels, .planes(shape), as: placement(address(epoch, sample)), into: output)
  }

  /// How pixels lie: the bytes from one channel, row and column to the next.
  struct Layout {
    let channel: Int
    let row: Int
    let column: Int

    static func planes(_ shape: ImageShape) -> Layout {
      Layout(channel: shape.height * shape.width, row: shape.width, column: 1)
    }

    static func channelsLast(_ shape: ImageShape) -> Layout {
      Layout(channel: 1, row: shape.width * shape.channels, column: shape.channels)
    }
  }

  /// output[y, x, c] = normalised pixels[c, y + rows, x' + columns], 0 outside and where it is erased, where x' is x,
  /// or width - 1 - x.
  ///
  /// 0 is the mean pixel: the padding is put in after normalisation.
  func write(
    _ pixels: UnsafePointer<UInt8>, _ layout: Layout, as placement: Placement, into output: UnsafeMutablePointer<Float>
  ) {
    let (channels, height, width) = (shape.channels, shape.height, shape.width)
    if placement.rows != 0 || placement.columns != 0 { output.update(repeating: 0, count: shape.count) }
    // The part of the crop window that lies inside the image; empty for an image smaller than the shift.
    let firstRow = max(0, -placement.rows)
    let endRow = max(firstRow, min(height, height - placement.rows))
    let firstColumn = max(0, -placement.columns)
    let inside = max(0, min(width, width - placement.columns) - firstColumn)
    let step = placement.flip ? -channels : channels
    normalization.table.withUnsafeBufferPointer { table in
      for channel in 0..<channels {
        let values = table.baseAddress! + channel * 256
        for y in firstRow..<endRow {
          let source =
            pixels + channel * layout.channel + (y + placement.rows) * layout.row
            + (firstColumn + placement.columns) * layout.column
          let x = placement.flip ? width - 1 - firstColumn : firstColumn
          var target = (y * width + x) * channels + channel
          for column in 0..<inside {
            output[target] = values[Int(source[column * layout.column])]
            target += step
          }
        }
      }
    }
    for box in placement.erased {
      for y in box.y..<box.y + box.height {
        (output + (y * width + box.x) * channels).update(repeating: 0, count: box.width * channels)
      }
    }
  }
}

extension Dataset {
  /// Writes the samples of `range`, normalised and not augmented, to the first `range.count` images of `tensor`
  /// (NHWC): what evaluation reads.
  package func normalized(
    _ range: Range<Int>, by normalization: Normalization, into tensor: Tensor
  ) throws(FileError) {
    precondition(
      range.count * shape.count <= tensor.count, "\(range.count) samples of \(shape) into \(tensor.shape)")
    try normalized(range, by: normalization, into: tensor.pointer)
  }

  /// The same into memory for `range.count` images. Pictures are decoded on the loader's number of threads.
  package func normalized(
    _ range: Range<Int>, by normalization: Normalization, into images: UnsafeMutablePointer<Float>
  ) throws(FileError) {
    let transform = SampleTransform(shape: shape, normalization: normalization)
    nonisolated(unsafe) let images = images
    try Parallel.run(range.count, threads: decoderThreads) { (at) throws(FileError) in
      try transform.write(range.lowerBound + at, of: self, epoch: 0, into: images + at * shape.count)
    }
  }
}
