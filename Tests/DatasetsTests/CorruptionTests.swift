import Datasets
import Formats
import Foundation
import TestSupport
import Testing

@Suite struct CorruptionTests {
  /// Pixel values in 0..1, plane by plane.
  private func values(
    _ kind: Corruption.Kind, _ severity: Int, of pixels: [UInt8], shape: ImageShape, sample: Int = 0, seed: Int = 0
  ) -> [Double] {
    var output = [Double](repeating: .nan, count: shape.count)
    Corruption(kind, severity: severity, seed: seed).apply(pixels, shape: shape, sample: sample, into: &output)
    return output
  }

  @Test(arguments: [Corruption.Kind.gaussianBlur, .brightness, .contrast], [1, 5])
  func `blur, brightness and contrast are PyTorch's`(kind: Corruption.Kind, severity: Int) throws {
    let golden = try Golden(fixture: "corruptions")
    let size = golden.shape("pixels")
    let pixels = try golden.labels("pixels").map { UInt8($0) }
    let ours = values(
      kind, severity, of: pixels, shape: ImageShape(channels: size[0], height: size[1], width: size[2]))
    let reference = try golden.floats("\(kind.rawValue).\(severity)")
    // The reference was rounded to float32 once: half a unit of 6e-8.
    for (a, b) in zip(ours, reference) { #expect(abs(a - Double(b)) < 1e-7) }
  }

  @Test(arguments: Corruption.Kind.gaussianBlur.magnitudes)
  func `a blur's kernel is a symmetric Gaussian whose sum is 1`(sigma: Double) {
    let kernel = Corruption.kernel(sigma: sigma)
    let radius = kernel.count / 2
    #expect(kernel == kernel.reversed() && kernel.count == 2 * radius + 1)
    #expect(abs(kernel.reduce(0, +) - 1) < 1e-15)
    for distance in 1...radius {
      let expected = exp(-pow(Double(distance) / sigma, 2) / 2)
      #expect(abs(kernel[radius + distance] / kernel[radius] - expected) < 1e-15)
    }
    // Cut off at four deviations, to whole pixels: of 0.6 at 2 pixels.
    #expect(kernel[0] < 5e-3)
  }

  @Test(arguments: [Corruption.Kind.gaussianBlur, .contrast], Corruption.severities)
  func `an image of one colour stays as it is`(kind: Corruption.Kind, severity: Int) {
    let shape = ImageShape(channels: 2, height: 5, width: 3)
    let pixels = [UInt8](repeating: 200, count: 15) + [UInt8](repeating: 3, count: 15)
    for (value, pixel) in zip(values(kind, severity, of: pixels, shape: shape), pixels) {
      #expect(abs(value - Double(pixel) / 255) < 1e-15)
    }
  }

  @Test(arguments: Corruption.severities)
  func `noise has its mean and deviation, and is cut at black and white`(severity: Int) {
    let shape = ImageShape(channels: 3, height: 100, width: 100)
    let count = Double(shape.count)
    let noise = values(.gaussianNoise, severity, of: [UInt8](repeating: 127, count: shape.count), shape: shape)
      .map { $0 - 127.0 / 255 }
    let sigma = Corruption.Kind.gaussianNoise.magnitudes[severity - 1]
    let mean = noise.reduce(0, +) / count
    let deviation = (noise.reduce(0) { $0 + $1 * $1 } / count).squareRoot()
    // Five standard errors of 30,000 draws. At 0.1, mid-grey is five deviations from either end: hardly any is cut.
    #expect(abs(mean) < 5 * sigma / count.squareRoot())
    #expect(abs(deviation - sigma) < 5 * sigma / (2 * count).squareRoot())
    let white = values(.gaussianNoise, severity, of: [UInt8](repeating: 255, count: shape.count), shape: shape)
    let atEnd = Double(white.count { $0 == 1 }) / count
    #expect(white.allSatisfy { 0...1 ~= $0 } && abs(atEnd - 0.5) < 5 * 0.5 / count.squareRoot())
  }

  @Test func `noise is the sample's own, and at another severity the same but for its size`() {
    let shape = ImageShape(channels: 1, height: 8, width: 8)
    let grey = [UInt8](repeating: 128, count: shape.count)
    func noise(_ severity: Int, sample: Int = 0, seed: Int = 0) -> [Double] {
      values(.gaussianNoise, severity, of: grey, shape: shape, sample: sample, seed: seed).map { $0 - 128.0 / 255 }
    }
    #expect(noise(1) == noise(1))
    #expect(noise(1) != noise(1, sample: 1) && noise(1) != noise(1, seed: 1))
    for (weak, strong) in zip(noise(1), noise(3)) { #expect(abs(2 * weak - strong) < 1e-12) }
  }

  @Test func `a corrupted sample arrives normalised, channels last`() throws {
    let folder = try Folder()
    try folder.write("train.bin", cifarRecords(2))
    try folder.write("test.bin", cifarRecords(2, seed: 5))
    let test = try DataSplits.load(DataOptions(format: .cifar10, path: folder.path)).test!
    let normalization = Normalization(mean: [0.1, 0.2, 0.3], std: [0.5, 0.25, 0.125])
    var output = [Float](repeating: .nan, count: test.shape.count)
    try test.write(
      1, changedBy: Corruption(.brightness, severity: 2, seed: 0), normalization: normalization, into: &output)
    let pixels = test.pixels(1)
    for (channel, row, column) in [(0, 0, 0), (1, 0, 5), (2, 31, 31), (1, 17, 2)] {
      let value = min(1, Double(pixels[(channel * 32 + row) * 32 + column]) / 255 + 0.1)
      let expected = (value - normalization.mean[channel]) / normalization.std[channel]
      #expect(output[(row * 32 + column) * 3 + channel] == Float(expected))
    }
  }
}
