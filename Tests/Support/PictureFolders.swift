import Foundation
import Images

/// Pictures in folders of their classes, `train/NAME/K.png` and `test/NAME/K.png`, which differ in their colours.
package enum PictureFolders {
  /// - Parameters:
  ///   - classes: names of folders.
  ///   - counts: of pictures of each class to train on, and to test.
  package static func write(
    _ classes: [String], counts: (training: Int, test: Int) = (6, 4), width: Int = 16, height: Int = 16,
    to folder: String
  ) throws {
    for (part, count) in [("train", counts.training), ("test", counts.test)] {
      for (label, name) in classes.enumerated() {
        let place = "\(folder)/\(part)/\(name)"
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
        for number in 0..<count {
          let seed = (part == "train" ? 0 : 1000) + number
          let bytes = picture(width, height, label: label, of: classes.count, seed: seed).encodedAsPNG()!
          try Data(bytes).write(to: URL(filePath: "\(place)/\(number).png"))
        }
      }
    }
  }

  /// A colour a class, and noise.
  private static func picture(_ width: Int, _ height: Int, label: Int, of classes: Int, seed: Int) -> Picture {
    var state = UInt32(truncatingIfNeeded: seed &* 7919 &+ label)
    let colour = label * 150 / max(classes - 1, 1)
    let pixels = (0..<width * height * 3).map { (index: Int) -> UInt8 in
      state = state &* 1_664_525 &+ 1_013_904_223
      let shade = (colour + index % 3 * 20) % 190
      return UInt8(shade) + UInt8(state >> 26)
    }
    return Picture(width: width, height: height, channels: 3, pixels: pixels)
  }
}
