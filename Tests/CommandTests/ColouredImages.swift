import Foundation

/// Images in colour as IDX files: 35 to train on, 10 to test, of five classes that differ in their colours. Fixed
/// bytes.
enum ColouredImages {
  static let classes = 5

  /// Writes the four files into `folder`, which it makes.
  static func write(to folder: String, height: Int, width: Int) throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    for (name, count) in [("train", 35), ("t10k", 10)] {
      var state: UInt32 = name == "train" ? 1 : 2
      func noise() -> UInt8 {
        state = state &* 1_664_525 &+ 1_013_904_223
        return UInt8(state >> 26)
      }
      var images = header([count, height, width, 3])
      for sample in 0..<count {
        for _ in 0..<height * width {
          for channel in 0..<3 { images.append(UInt8((sample % classes * 37 + channel * 61) % 190) + noise()) }
        }
      }
      try images.write(to: URL(fileURLWithPath: "\(folder)/\(name)-images-idx3-ubyte"))
      let labels = header([count]) + Data((0..<count).map { UInt8($0 % classes) })
      try labels.write(to: URL(fileURLWithPath: "\(folder)/\(name)-labels-idx1-ubyte"))
    }
  }

  private static func header(_ extents: [Int]) -> Data {
    var header = Data([0, 0, 8, UInt8(extents.count)])
    for extent in extents { withUnsafeBytes(of: UInt32(extent).bigEndian) { header.append(contentsOf: $0) } }
    return header
  }
}
