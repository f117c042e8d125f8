import Datasets
import Files
import Images
import Kernels
import Pictures

/// Many pictures in one: rows of samples as they are measured, each with what random changes make of it in some epochs.
package enum ContactSheet {
  /// Between pictures, pixels.
  private static let gap = 2

  /// `count` training samples, drawn by the seed: the network's view, then `epochs` times as it is trained on.
  package static func make(
    of dataset: Dataset, by transform: SampleTransform, count: Int, epochs: Int, seed: Int
  ) throws(FileError) -> Picture {
    let plain = SampleTransform(shape: dataset.shape, normalization: transform.normalization)
    let samples = SampleDraw(dataset, seed: seed, purpose: .evaluation).first(count, of: 0..<dataset.count).sorted()
    var rows: [[Picture]] = []
    for sample in samples {
      var row = [try plain.picture(sample, of: dataset, epoch: 0)]
      for epoch in 0..<epochs { row.append(try transform.picture(sample, of: dataset, epoch: epoch)) }
      rows.append(row)
    }
    return joined(rows)
  }

  /// Pictures of one size, side by side, on white.
  private static func joined(_ rows: [[Picture]]) -> Picture {
    let (first, columns) = (rows[0][0], rows[0].count)
    let width = columns * (first.width + gap) + gap
    let height = rows.count * (first.height + gap) + gap
    let channels = first.channels
    return Picture(width: width, height: height, channels: channels) { output in
      output.update(repeating: 255, count: width * height * channels)
      for (y, row) in rows.enumerated() {
        for (x, picture) in row.enumerated() {
          let corner = (gap + y * (first.height + gap)) * width + gap + x * (first.width + gap)
          picture.withPixels { pixels in
            for line in 0..<picture.height {
              (output + (corner + line * width) * channels).update(
                from: pixels + line * picture.width * channels, count: picture.width * channels)
            }
          }
        }
      }
    }
  }
}
