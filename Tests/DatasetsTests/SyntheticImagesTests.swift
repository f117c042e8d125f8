import Datasets
import Files
import Testing

@Suite struct SyntheticImagesTests {
  @Test(arguments: [
    (DataOptions(format: .cifar10), "3x32x32", 10), (DataOptions(format: .cifar100), "3x32x32", 100),
    (DataOptions(format: .glyphs), "1x28x28", 10), (DataOptions(format: .idx, size: 9), "1x9x9", 10),
  ])
  func `images are random, of the format's shape, with every label`(options: DataOptions, shape: String, classes: Int)
    throws
  {
    let images = try DataSplits.synthetic(like: options, count: 2000).training
    #expect(images.count == 2000 && images.classes == classes && "\(images.shape)" == shape)
    #expect(Set((0..<images.count).map { images.label($0) }) == Set(0..<classes))
    let again = try DataSplits.synthetic(like: options, count: 2000).training
    var values = Set<UInt8>()
    for index in 0..<images.count {
      let (one, other) = (pixels(images, index), pixels(again, index))
      #expect(one == other)
      values.formUnion(one)
    }
    #expect(values.count == 256)
  }

  @Test func `labels are below the model's classes, and a byte`() throws {
    for (classes, largest) in [(2, 1), (300, 254)] {
      let images = try DataSplits.synthetic(like: DataOptions(), count: 4000, classes: classes).training
      #expect(images.classes == classes)
      #expect((0..<images.count).map { images.label($0) }.max() == largest)
    }
  }

  @Test func `more than the memory holds is refused`() {
    #expect(throws: FileError.self) { try DataSplits.synthetic(like: DataOptions(), count: .max) }
  }

  private func pixels(_ images: Dataset, _ index: Int) -> [UInt8] {
    try! images.withPixels(of: index) { Array(UnsafeBufferPointer(start: $0, count: images.shape.count)) }
  }
}
