import Kernels
import Testing

import Images

struct TransformDrawTests {
  private static let size = PixelSize(width: 32, height: 24)

  private static func make(_ type: any ImageTransform.Type) -> any ImageTransform {
    type.init(values: type.parameters.map(\.fallback))
  }

  @Test func `every transform is known by its name, and takes what it says it does where nothing is said`() {
    for type in ImageTransforms.all {
      #expect(ImageTransforms.named(type.name) == type)
      for parameter in type.parameters {
        #expect(parameter.allows(parameter.fallback), "\(type.name) \(parameter.name)")
      }
    }
    #expect(Set(ImageTransforms.all.map { $0.name }).count == ImageTransforms.all.count)
  }

  @Test func `an address decides a picture, and each of seed, epoch and sample changes it`() throws {
    let picture = try PictureFixtures.picture("source.rgb")
    for type in ImageTransforms.all {
      let values: [[Double]] =
        type == ColorJitter.self ? [[0.4], [0.4], [0.4], [0.1]] : type.parameters.map(\.fallback)
      let transform = type.init(values: values)
      func outcome(_ address: SampleAddress) -> (Picture, Placement) {
        var placement = Placement()
        transform.place(&placement, in: Self.size, at: address)
        return (transform.changed(picture, to: Self.size, at: address), placement)
      }
      var outcomes: [[(Picture, Placement)]] = []
      for address in [
        SampleAddress(seed: 1, epoch: 2, sample: 0), SampleAddress(seed: 2, epoch: 2, sample: 0),
        SampleAddress(seed: 1, epoch: 3, sample: 0),
      ] {
        outcomes.append((0..<20).map { outcome(.init(seed: address.seed, epoch: address.epoch, sample: $0)) })
        for (sample, first) in outcomes.last!.enumerated() {
          #expect(first == outcome(.init(seed: address.seed, epoch: address.epoch, sample: sample)))
        }
      }
      for (a, b) in [(0, 1), (0, 2)] {
        #expect(zip(outcomes[a], outcomes[b]).contains { $0 != $1 }, "\(type.name)")
      }
      #expect(outcomes[0].dropFirst().contains { $0 != outcomes[0][0] }, "\(type.name)")
    }
  }

  @Test func `a random crop has the area and the ratio that are asked for`() {
    let crop = RandomResizedCrop(values: [[0.25, 0.5], [0.5, 2]])
    for sample in 0..<500 {
      let box = crop.box(width: 200, height: 160, at: SampleAddress(seed: 3, epoch: 0, sample: sample))
      let area = Double(box.width * box.height) / (200 * 160)
      // Sides are whole pixels: of the shortest, 63, a half is 0.8 %.
      #expect(0.245...0.51 ~= area && 0.49...2.04 ~= Double(box.width) / Double(box.height), "\(box)")
      #expect(box.x >= 0 && box.y >= 0 && box.x + box.width <= 200 && box.y + box.height <= 160)
    }
    // torchvision's fallback, by hand: wider than the ratio allows; narrower; one pixel.
    #expect(
      RandomResizedCrop.central(width: 300, height: 30, ratio: 0.75...4.0 / 3)
        == PixelBox(x: 130, y: 0, width: 40, height: 30))
    #expect(
      RandomResizedCrop.central(width: 30, height: 300, ratio: 0.75...4.0 / 3)
        == PixelBox(x: 0, y: 130, width: 30, height: 40))
    #expect(
      RandomResizedCrop.central(width: 1, height: 1, ratio: 2...3) == PixelBox(x: 0, y: 0, width: 1, height: 1))
  }

  @Test func `a scale and a ratio of one number cut a window of one size`() {
    let crop = RandomResizedCrop(values: [[0.5625, 0.5625], [1, 1]])
    var corners: Set<[Int]> = []
    for sample in 0..<2000 {
      let box = crop.box(width: 32, height: 32, at: SampleAddress(seed: 0, epoch: 0, sample: sample))
      #expect((box.width, box.height) == (24, 24))
      corners.insert([box.x, box.y])
    }
    #expect(corners.count == 81)  // 9 x 9: 2000 draws miss one with a chance below 1e-8
  }

  @Test func `erasing has its probability, and lies inside`() {
    let erasing = RandomErasing(values: [[0.25], [0.02, 0.33], [0.3, 3.3]])
    let boxes = (0..<2000).compactMap { erasing.box(in: Self.size, at: SampleAddress(seed: 5, epoch: 1, sample: $0)) }
    #expect(400...600 ~= boxes.count)  // 500 +- 5 standard deviations of 19
    for box in boxes {
      #expect(box.x >= 0 && box.y >= 0 && box.x + box.width <= 32 && box.y + box.height <= 24)
      #expect(box.width * box.height <= 32 * 24 * 2 / 5)
    }
  }

  @Test func `RandAugment draws every operation, in both directions`() {
    let augment = RandAugment(values: [[2], [9]])
    var seen: [RandAugment.Operation: Set<Double>] = [:]
    for sample in 0..<2000 {
      let steps = augment.draw(size: Self.size, at: SampleAddress(seed: 1, epoch: 0, sample: sample))
      #expect(steps.count == 2)
      for step in steps { seen[step.operation, default: []].insert(step.magnitude) }
    }
    for operation in RandAugment.Operation.allCases {
      #expect(seen[operation]?.count == (operation.isSigned ? 2 : 1), "\(operation)")
    }
  }

  @Test func `the draws of pad-crop and flip do not depend on each other`() {
    let (crop, flip) = (PadCrop(values: [[4]]), Flip(values: []))
    for sample in 0..<50 {
      let address = SampleAddress(seed: 11, epoch: 3, sample: sample)
      var both = Placement()
      crop.place(&both, in: Self.size, at: address)
      flip.place(&both, in: Self.size, at: address)
      // As they are drawn for CIFAR since the first version.
      var stream = RandomStream(seed: 11, purpose: .augmentation, epoch: 3, sample: sample)
      var expected = Placement()
      expected.rows = stream.integer(below: 9) - 4
      expected.columns = stream.integer(below: 9) - 4
      expected.flip = stream.integer(below: 2) == 1
      #expect(both == expected)
    }
  }
}
