import Datasets
import Kernels
import Testing

@Suite struct NormalizationTests {
  @Test func `mean and standard deviation are those of all pixels of a channel`() throws {
    let images = try randomImages(9)
    let normalization = try Normalization.computed(on: images)
    for channel in 0..<3 {
      let values = (0..<9).flatMap { images.pixels($0)[(channel * 1024)..<((channel + 1) * 1024)] }
        .map { Double($0) / 255 }
      let mean = values.reduce(0, +) / Double(values.count)
      let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
      // 9216 sums of values below 1 in double precision: about 1e4 * 1e-16.
      #expect(abs(normalization.mean[channel] - mean) < 1e-12)
      #expect(abs(normalization.std[channel] - variance.squareRoot()) < 1e-12)
    }
  }

  @Test func `a constant channel becomes zero, not infinite`() throws {
    let folder = try Folder()
    let record: [UInt8] = [1] + [UInt8](repeating: 77, count: 2048) + randomBytes(1024)
    try folder.write("train.bin", record + record)
    try folder.write("test.bin", record)
    let training = try DataSplits.load(DataOptions(format: .cifar10, path: folder.path)).training
    let normalization = try Normalization.computed(on: training)
    #expect(normalization.std[0] == 1)
    let tensor = Tensor(Shape(batch: 2, height: 32, width: 32, channels: 3))
    try training.normalized(0..<2, by: normalization, into: tensor)
    #expect(
      stride(from: 0, to: tensor.count, by: 3).allSatisfy {
        tensor.values[$0] == 0 && tensor.values[$0 + 1] == 0
      })
    #expect(tensor.values.contains { $0 != 0 })
  }

  @Test func `evaluation reads samples channels last, and the valid range is that of bytes 0 and 255`() throws {
    let images = try randomImages(5)
    let normalization = Normalization(mean: [0.5, 0.25, 0.1], std: [0.5, 0.2, 0.3])
    let tensor = Tensor(Shape(batch: 4, height: 32, width: 32, channels: 3))
    try images.normalized(2..<5, by: normalization, into: tensor)
    for (at, sample) in (2..<5).enumerated() {
      let pixels = images.pixels(sample)
      for y in 0..<32 {
        for x in 0..<32 {
          for channel in 0..<3 {
            let value = Double(pixels[channel * 1024 + y * 32 + x]) / 255
            let expected = Float((value - normalization.mean[channel]) / normalization.std[channel])
            #expect(tensor.values[((at * 32 + y) * 32 + x) * 3 + channel] == expected)
          }
        }
      }
    }
    #expect(tensor.values[(3 * 3072)...].allSatisfy { $0 == 0 })
    #expect(normalization.pixelRange(0) == -1...1)
    #expect(normalization.pixelRange(1) == -1.25...3.75)
  }

  @Test func `given values are taken, missing ones computed, wrong ones refused with their key`() throws {
    let images = try randomImages(3)
    let computed = try Normalization.computed(on: images)
    let mixed = try Normalization.resolved(mean: [0.1, 0.2, 0.3], std: nil, on: images)
    #expect(mixed.mean == [0.1, 0.2, 0.3])
    #expect(mixed.std == computed.std)
    func reason(_ mean: [Double]?, _ std: [Double]?) -> String {
      do {
        _ = try Normalization.resolved(mean: mean, std: std, on: images)
        return "no error"
      } catch {
        return error.description
      }
    }
    #expect(reason([0.5], nil) == "data.mean: 1 value, expected 3, one a channel of the data")
    #expect(reason(nil, [0.5, 0, 1]) == "data.std: 0.0, expected a positive number")
  }
}
