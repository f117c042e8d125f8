/// Resizing by area averaging: an output pixel is the mean of the input over the area it covers, for any ratio,
/// also a fractional one and an enlargement. All arithmetic is in integers, so it is exact up to the rounding to a
/// byte (half up).
package struct AreaAverage {
  /// How one output position takes its input: from `first` on, by the given weights, in 1/outputs of an input pixel.
  /// The weights of a position sum to the number of inputs.
  package struct Taps {
    package let first: Int
    package let weights: [Int]
  }

  let input: ImageShape
  let size: Int
  private let rows: [Taps]
  private let columns: [Taps]

  package init(from input: ImageShape, to size: Int) {
    self.input = input
    self.size = size
    rows = Self.taps(from: input.height, to: size)
    columns = Self.taps(from: input.width, to: size)
  }

  /// In units of 1/outputs input pixels, input k covers [k outputs, (k+1) outputs), and output i covers
  /// [i inputs, (i+1) inputs): the weights are the lengths of the overlaps.
  package static func taps(from inputs: Int, to outputs: Int) -> [Taps] {
    (0..<outputs).map { i in
      let (begin, end) = (i * inputs, (i + 1) * inputs)
      let first = begin / outputs
      let last = (end - 1) / outputs
      return Taps(
        first: first,
        weights: (first...last).map { k in min(end, (k + 1) * outputs) - max(begin, k * outputs) })
    }
  }

  /// Both arrays plane by plane; `output` holds channels x size x size bytes.
  package func apply(_ pixels: UnsafePointer<UInt8>, into output: UnsafeMutablePointer<UInt8>) {
    let area = input.height * input.width
    // A row at a time: the sizes of the input come from a file.
    withUnsafeTemporaryAllocation(of: Int.self, capacity: size) { sums in
      for channel in 0..<input.channels {
        let plane = pixels + channel * area
        for (y, row) in rows.enumerated() {
          sums.update(repeating: 0)
          for (k, weight) in row.weights.enumerated() {
            add(plane + (row.first + k) * input.width, times: weight, to: sums)
          }
          for x in 0..<size {
            output[(channel * size + y) * size + x] = UInt8((sums[x] + area / 2) / area)
          }
        }
      }
    }
  }
}

extension AreaAverage {
  private func add(_ pixels: UnsafePointer<UInt8>, times weight: Int, to sums: UnsafeMutableBufferPointer<Int>) {
    for (x, column) in columns.enumerated() {
      var sum = 0
      for (k, columnWeight) in column.weights.enumerated() { sum += columnWeight * Int(pixels[column.first + k]) }
      sums[x] += weight * sum
    }
  }
}
