import Datasets
import Testing

@Suite struct AreaAverageTests {
  /// The mean of a plane over [y0, y1) x [x0, x1), by every pixel's share of the area, in double precision.
  private func mean(
    _ plane: [UInt8], height: Int, width: Int, _ y0: Double, _ y1: Double, _ x0: Double, _ x1: Double
  ) -> Double {
    var sum = 0.0
    for y in 0..<height {
      for x in 0..<width {
        let rows = max(0, min(y1, Double(y + 1)) - max(y0, Double(y)))
        let columns = max(0, min(x1, Double(x + 1)) - max(x0, Double(x)))
        sum += rows * columns * Double(plane[y * width + x])
      }
    }
    return sum / ((y1 - y0) * (x1 - x0))
  }

  @Test(arguments: [1, 2, 3, 4, 6, 7, 12])
  func `a resized image is the mean over the area each pixel covers`(size: Int) throws {
    let (height, width) = (6, 9)
    let folder = try Folder()
    for (name, bytes) in idxFiles(training: 5, test: 2, height: height, width: width) {
      try folder.write(name, bytes)
    }
    var options = DataOptions(format: .idx, path: folder.path, limit: 4, validation: .count(2))
    let native = try DataSplits.load(options)
    options.size = size
    let splits = try DataSplits.load(options)
    let pairs = [
      (native.training, splits.training), (native.validation!, splits.validation!),
      (native.test!, splits.test!),
    ]
    for (native, resized) in pairs {
      #expect(resized.shape == ImageShape(channels: 1, height: size, width: size))
      #expect(resized.labels == native.labels)
      for index in 0..<native.count {
        let plane = native.pixels(index)
        let pixels = resized.pixels(index)
        for y in 0..<size {
          for x in 0..<size {
            let (v, u) = (Double(height) / Double(size), Double(width) / Double(size))
            let expected = mean(
              plane, height: height, width: width, Double(y) * v, Double(y + 1) * v, Double(x) * u,
              Double(x + 1) * u)
            // Rounding to a byte moves a value by at most one half; 1e-9 for the reference's own rounding.
            #expect(abs(Double(pixels[y * size + x]) - expected) <= 0.5 + 1e-9)
          }
        }
      }
    }
  }

  @Test func `planes are resized each on its own, and the own size changes nothing`() throws {
    let folder = try Folder()
    let records = cifarRecords(2)
    try folder.write("train.bin", records)
    try folder.write("test.bin", records)
    let native = try DataSplits.load(DataOptions(format: .cifar10, path: folder.path, size: 32)).training
    #expect(native.pixels(1) == Array(records[3074...]))
    let half = try DataSplits.load(DataOptions(format: .cifar10, path: folder.path, size: 16)).training
    for channel in 0..<3 {
      let plane = native.pixels(1)[(channel * 1024)..<((channel + 1) * 1024)].map(Int.init)
      let first = (plane[0] + plane[1] + plane[32] + plane[33] + 2) / 4
      #expect(Int(half.pixels(1)[channel * 256]) == first)
    }
  }
}
