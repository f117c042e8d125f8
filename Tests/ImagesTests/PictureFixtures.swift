import Foundation
import Formats
import Images
import TestSupport

/// Tests/Fixtures/pictures and what Pillow and torchvision make of them (make_pictures.py).
enum PictureFixtures {
  static let folder = "\(PackageRoot.path)/Tests/Fixtures/pictures"
  static let expected = try! SafetensorsFile(path: "\(PackageRoot.path)/Tests/Fixtures/pictures.safetensors")

  static let files = try! FileManager.default.contentsOfDirectory(atPath: folder).sorted()
  static let good = files.filter { !$0.hasPrefix("bad-") }
  static let bad = files.filter { $0.hasPrefix("bad-") }

  static func bytes(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name)")))
  }

  /// The arrays whose names begin with `prefix`, for both kinds of picture: what stands between, "rgb" or "grey".
  static func cases(_ prefix: String) -> [(parameters: [Substring], kind: String, name: String)] {
    expected.tensors.filter { $0.name.hasPrefix(prefix + ".") }.map { tensor in
      var parts = tensor.name.split(separator: ".")
      let kind = String(parts.removeLast())
      return (Array(parts.dropFirst()), kind, tensor.name)
    }
  }

  static func picture(_ name: String) throws -> Picture {
    let tensor = expected.tensors.first { $0.name == name }!
    return Picture(
      width: tensor.shape[1], height: tensor.shape[0], channels: tensor.shape.count == 3 ? 3 : 1,
      pixels: try expected.integers(name).map { UInt8($0) })
  }
}

extension Picture {
  /// The largest difference of any byte; nil where sizes differ.
  func distance(to other: Picture) -> Int? {
    guard (width, height, channels) == (other.width, other.height, other.channels) else { return nil }
    return zip(pixels, other.pixels).map { abs(Int($0) - Int($1)) }.max()
  }
}
