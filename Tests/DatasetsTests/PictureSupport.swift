import Datasets
import Formats
import Foundation
import Images
import TestSupport

extension Folder {
  func makeFolder(_ name: String) throws {
    try FileManager.default.createDirectory(atPath: "\(path)/\(name)", withIntermediateDirectories: true)
  }

  /// A picture as PNG, with the folders it lies in.
  @discardableResult
  func writePNG(_ name: String, _ picture: Picture) throws -> String {
    if let slash = name.lastIndex(of: "/") { try makeFolder(String(name[..<slash])) }
    return try write(name, picture.encodedAsPNG()!)
  }
}

/// Random pixels of a size.
func randomPicture(_ width: Int, _ height: Int, channels: Int = 3, seed: Int) -> Picture {
  Picture(
    width: width, height: height, channels: channels, pixels: randomBytes(width * height * channels, seed: seed))
}

/// A file of Tests/Fixtures/pictures.
func pictureFile(_ name: String) throws -> [UInt8] {
  [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(PackageRoot.path)/Tests/Fixtures/pictures/\(name)")))
}

extension Folder {
  static func writePNG(in folder: TemporaryDirectory, _ name: String, _ picture: Picture) throws {
    let path = folder.path(name)
    let parent = String(path[..<path.lastIndex(of: "/")!])
    try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
    try Data(picture.encodedAsPNG()!).write(to: URL(fileURLWithPath: path))
  }
}

extension SameImages.Place {
  var options: DataOptions { DataOptions(format: DataFormat(rawValue: format)!, path: path) }
}
