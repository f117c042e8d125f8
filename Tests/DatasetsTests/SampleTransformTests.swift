import Datasets
import Kernels
import Testing

@Suite struct SampleTransformTests {
  private let normalization = Normalization(mean: [0.5, 0.25, 0.1], std: [0.5, 0.2, 0.3])

  /// Pads the normalised image by `padding` zeros, cuts the window at (top, left), then mirrors: pixel by pixel.
  private func naive(_ pixels: [UInt8], top: Int, left: Int, flip: Bool) -> [Float] {
    var output: [Float] = []
    for y in 0..<32 {
      for x in 0..<32 {
        let column = (flip ? 31 - x : x) + left - 4
        let row = y + top - 4
        for channel in 0..<3 {
          guard 0..<32 ~= row, 0..<32 ~= column else {
            output.append(0)
            continue
          }
          let value = Double(pixels[channel * 1024 + row * 32 + column]) / 255
          output.append(Float((value - normalization.mean[channel]) / normalization.std[channel]))
        }
      }
    }
    return output
  }

  private func augmented(
    _ images: Dataset, _ augmentations: [Augmentation], epoch: Int, sample: Int
  ) -> [Float] {
    let transform = SampleTransform(
      shape: images.shape, normalization: normalization, augmentations: augmentations, seed: 5)
    let tensor = Tensor(count: 3072)
    tensor.values.update(repeating: .nan)  // whatever is not written shows
    try! images.withPixels(of: 0) { transform.write($0, epoch: epoch, sample: sample, into: tensor.pointer) }
    return Array(tensor.values)
  }

  @Test(arguments: [[Augmentation.padCrop], [.flip], [.padCrop, .flip]])
  func `every image is one of the naive crops and flips, and all of these come up`(
    augmentations: [Augmentation]
  ) throws {
    let images = try randomImages(2)
    let pixels = images.pixels(0)
    let offsets = augmentations.contains(.padCrop) ? 0..<9 : 4..<5
    var counts: [[Float]: Int] = [:]
    for top in offsets {
      for left in offsets {
        for flip in augmentations.contains(.flip) ? [false, true] : [false] {
          counts[naive(pixels, top: top, left: left, flip: flip)] = 0
        }
      }
    }
    // A variant of 162 is missing from 3000 draws with probability 162 exp(-3000 / 162), about 1e-6; the seed is fixed.
    for sample in 0..<3000 {
      let image = augmented(images, augmentations, epoch: sample % 7, sample: sample)
      try #require(counts[image] != nil)
      counts[image]! += 1
    }
    #expect(counts.values.allSatisfy { $0 > 0 })
  }

  @Test func `the same epoch and sample give the same image, other ones another`() throws {
    let images = try randomImages(2)
    func image(_ epoch: Int, _ sample: Int) -> [Float] {
      augmented(images, [.padCrop, .flip], epoch: epoch, sample: sample)
    }
    #expect(image(3, 17) == image(3, 17))
    // Two draws of 162 coincide now and then, ten in a row do not.
    #expect((0..<10).contains { image(3, $0) != image(4, $0) })
    #expect((0..<10).contains { image(3, $0) != image(3, $0 + 10) })
  }

  @Test func `switching the flip on does not change the crop`() throws {
    let images = try randomImages(2)
    for sample in 0..<20 {
      let crop = augmented(images, [.padCrop], epoch: 0, sample: sample)
      let both = augmented(images, [.padCrop, .flip], epoch: 0, sample: sample)
      let mirrored = (0..<1024).flatMap { at in
        let from = (at / 32 * 32 + 31 - at % 32) * 3
        return crop[from..<from + 3]
      }
      #expect(both == crop || both == mirrored)
    }
  }

  @Test func `an image smaller than the shift stays within its memory`() throws {
    let folder = try Folder()
    for (name, bytes) in idxFiles(height: 2, width: 3) { try folder.write(name, bytes) }
    let images = try DataSplits.load(DataOptions(format: .idx, path: folder.path)).training
    let transform = SampleTransform(
      shape: images.shape, normalization: Normalization(mean: [2], std: [1]), augmentations: [.padCrop])
    let tensor = Tensor(count: 3 * 6)
    tensor.values.update(repeating: .nan)
    for sample in 0..<200 {
      try images.withPixels(of: 0) { transform.write($0, epoch: 0, sample: sample, into: tensor.pointer + 6) }
      #expect(tensor.values[..<6].allSatisfy(\.isNaN) && tensor.values[12...].allSatisfy(\.isNaN))
      // Mean 2 makes every pixel negative: 0 is padding.
      #expect(tensor.values[6..<12].allSatisfy { $0 <= 0 })
    }
  }
}
