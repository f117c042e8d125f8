import Files
import Kernels
import Pictures
import Runtime

/// Pixel bytes to network inputs: (value / 255 - mean) / std, per channel. Mean and std are of pixel values in 0..1.
package struct Normalization: Sendable {
  package let mean: [Double]
  package let std: [Double]
  /// The 256 normalised values of each channel, channel by channel.
  let table: [Float]

  /// std must be positive; one mean and one std a channel.
  package init(mean: [Double], std: [Double]) {
    precondition(mean.count == std.count && std.allSatisfy { $0 > 0 }, "mean \(mean), std \(std)")
    self.mean = mean
    self.std = std
    table = zip(mean, std).flatMap { mean, std in
      (0..<256).map { Float((Double($0) / 255 - mean) / std) }
    }
  }

  /// The population's mean and standard deviation over all pixels, from an integer histogram: the result does not
  /// depend on the order of samples. A channel of one value only has std 0, which nothing can be divided by; it gets
  /// std 1, so that it becomes 0 everywhere.
  package static func computed(
    on dataset: Dataset, progress: ReadingProgress? = nil
  ) throws(FileError) -> Normalization {
    precondition(dataset.count > 0, "no pixels to normalise by")
    if let known = dataset.knownMoments { return known }
    let moments = try histograms(of: dataset, progress).map { histogram in
      let count = Double(histogram.reduce(0, +))
      let mean = histogram.enumerated().reduce(0) { $0 + Double($1.offset * $1.element) } / count
      let variance =
        histogram.enumerated().reduce(0) { sum, bin in
          let difference = Double(bin.offset) - mean
          return sum + difference * difference * Double(bin.element)
        } / count
      return (mean: mean / 255, std: variance > 0 ? variance.squareRoot() / 255 : 1)
    }
    return Normalization(mean: moments.map(\.mean), std: moments.map(\.std))
  }

  /// The given values, computed where they are nil. Throws where there is not one value per channel, or a std is not
  /// positive.
  package static func resolved(
    mean: [Double]?, std: [Double]?, on dataset: Dataset
  ) throws(FileError) -> Normalization {
    for (key, values) in [("data.mean", mean), ("data.std", std)] {
      guard let values, values.count != dataset.shape.channels else { continue }
      throw FileError(
        path: key,
        reason: "\(counted(values.count, "value")), expected \(dataset.shape.channels), one a channel of the data")
    }
    if let std, let wrong = std.first(where: { !($0 > 0) }) {
      throw FileError(path: "data.std", reason: "\(wrong), expected a positive number")
    }
    if let mean, let std { return Normalization(mean: mean, std: std) }
    let computed = try computed(on: dataset)
    return Normalization(mean: mean ?? computed.mean, std: std ?? computed.std)
  }

  /// The normalised values of the darkest and the brightest valid pixel.
  package func pixelRange(_ channel: Int) -> ClosedRange<Float> {
    table[channel * 256]...table[channel * 256 + 255]
  }

  /// Those of every channel.
  package var pixelRanges: [ClosedRange<Float>] { mean.indices.map(pixelRange) }

  /// Decoding more would take longer than it is worth: a mean of so many images is exact to 1e-4.
  private static let mostDecoded = 100_000

  /// How often each of the 256 values occurs, per channel. Of more than `mostDecoded` pictures so many count, at equal
  /// distances.
  static func histograms(of dataset: Dataset, _ progress: ReadingProgress? = nil) throws(FileError) -> [[Int]] {
    let (channels, area) = (dataset.shape.channels, dataset.shape.height * dataset.shape.width)
    let count = dataset.isDecoded ? min(dataset.count, mostDecoded) : dataset.count
    let threads = dataset.isDecoded ? Parallel.cores : 1
    // A table a part, so that nobody waits; their sum depends on no order.
    let parts = min(threads, count)
    var tables = [Int](repeating: 0, count: parts * channels * 256)
    var failure: FileError?
    tables.withUnsafeMutableBufferPointer { tables in
      nonisolated(unsafe) let tables = tables
      do throws(FileError) {
        try Parallel.run(parts, threads: threads) { (part) throws(FileError) in
          let counts = tables.baseAddress! + part * channels * 256
          for index in part * count / parts..<(part + 1) * count / parts {
            try dataset.withPixels(of: index * dataset.count / count) { pixels in
              for channel in 0..<channels {
                for pixel in UnsafeBufferPointer(start: pixels + channel * area, count: area) {
                  counts[channel * 256 + Int(pixel)] += 1
                }
              }
            }
            progress?.advance()
          }
        }
      } catch { failure = error }
    }
    if let failure { throw failure }
    return (0..<channels).map { channel in
      (0..<256).map { value in (0..<parts).reduce(0) { $0 + tables[($1 * channels + channel) * 256 + value] } }
    }
  }
}
