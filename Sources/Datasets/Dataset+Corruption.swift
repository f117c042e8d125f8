import Files
import Images
import Pictures

extension Dataset {
  /// Writes sample `index`, corrupted and normalised, to `output`: `shape.count` floats, channels last.
  package func write(
    _ index: Int, changedBy corruption: Corruption, normalization: Normalization,
    into output: UnsafeMutablePointer<Float>
  ) throws(FileError) {
    let area = shape.height * shape.width
    try withPixels(of: index) { pixels in
      withUnsafeTemporaryAllocation(of: Double.self, capacity: shape.count) { values in
        corruption.apply(pixels, shape: shape, sample: index, into: values.baseAddress!)
        for channel in 0..<shape.channels {
          let (mean, std) = (normalization.mean[channel], normalization.std[channel])
          for position in 0..<area {
            output[position * shape.channels + channel] = Float((values[channel * area + position] - mean) / std)
          }
        }
      }
    }
  }
}
