import Datasets
import Files
import Images
import Kernels
import Pictures

/// Many pictures in one: rows of samples as they are measured, each with what random changes make of it in some epochs.
package enum ContactSheet {
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
    return Picture(sheet: rows)
  }
}
