import Datasets
import Testing

@Suite struct GlyphsTests {
  private func load(_ count: Int, test: Int = 1, seed: Int = 0) throws -> DataSplits {
    try DataSplits.load(DataOptions(limit: count, testLimit: test, seed: seed))
  }

  @Test func `the same seed draws the same bytes, whatever the limit`() throws {
    let few = try load(50).training
    let many = try load(300).training
    for index in 0..<50 {
      #expect(few.pixels(index) == many.pixels(index))
      #expect(few.label(index) == many.label(index))
    }
  }

  @Test func `seeds, splits and indices draw different images`() throws {
    let splits = try load(200, test: 200)
    let other = try load(200, seed: 1).training
    let images = (0..<200).flatMap { [splits.training.pixels($0), splits.test!.pixels($0), other.pixels($0)] }
    #expect(Set(images).count == 600)
  }

  @Test func `there are ten balanced classes of 28x28 grey images, 10000 to train and 2000 to test`() throws {
    let splits = try DataSplits.load(DataOptions())
    #expect(splits.training.count == 10_000)
    #expect(splits.test!.count == 2_000)
    #expect(splits.training.shape == ImageShape(channels: 1, height: 28, width: 28))
    #expect(splits.training.classes == 10)
    #expect((0..<10).allSatisfy { digit in splits.training.labels.count { $0 == digit } == 1000 })
    #expect(splits.test!.origin(of: 7) == "glyphs (test), record 7")
  }

  @Test func `the images tell the classes apart, but not by their mean image alone`() throws {
    let splits = try load(5000, test: 1000)
    var means = [[Double]](repeating: [Double](repeating: 0, count: 784), count: 10)
    for index in 0..<5000 {
      for (at, pixel) in splits.training.pixels(index).enumerated() {
        means[splits.training.label(index)][at] += Double(pixel) / 500
      }
    }
    let centred = means.map { mean in mean.map { $0 - mean.reduce(0, +) / 784 } }
    let correct = (0..<1000).count { index in
      let pixels = splits.test!.pixels(index).map(Double.init)
      let scores = centred.map { mean in
        zip(mean, pixels).reduce(0) { $0 + $1.0 * $1.1 } / mean.reduce(0) { $0 + $1 * $1 }.squareRoot()
      }
      return scores.indices.max { scores[$0] < scores[$1] } == splits.test!.label(index)
    }
    // Chance is 100 of 1000, with a standard deviation of 9.5.
    #expect(correct > 200)
    #expect(correct < 800)
  }
}
