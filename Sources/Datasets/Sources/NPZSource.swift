import Files
import Runtime
import Formats
import Foundation
import Pictures

/// An `.npz` archive of arrays as MedMNIST publishes them: train_images, train_labels and, where there are, val_* and
/// test_*.
enum NPZSource: DataSource {
  static let format = DataFormat.npz

  static func recognises(_ path: String) -> String? {
    guard path.hasSuffix(".npz"), System.isRegularFile(path) else { return nil }
    return "an .npz archive"
  }

  static func load(_ path: String, _ options: DataOptions) throws(FileError) -> LoadedData {
    guard System.isRegularFile(path) else {
      throw FileError(path: path, reason: "is no file, expected an .npz archive")
    }
    let archive = try ZipFile(path: path)
    var parts: [(PictureListing.Part, ImageArrays)] = []
    // Unpacked, all lie in memory.
    var room = Int(ProcessInfo.processInfo.physicalMemory / 2)
    func array(_ name: String) throws(FileError) -> NumpyFile? {
      guard let member = archive.members.first(where: { $0.name == name + ".npy" }) else { return nil }
      let block = try archive.contents(of: member, limit: room)
      room -= block.bytes.count
      return try NumpyFile(block, path: "\(path), \(quoted(member.name))")
    }
    for part in PictureListing.Part.allCases {
      for names in ImageArrays.names(part) where !parts.contains(where: { $0.0 == part }) {
        guard let images = try array(names.images), let labels = try array(names.labels) else { continue }
        parts.append((part, ImageArrays(images: images, labels: labels)))
      }
    }
    guard !parts.isEmpty else {
      let names = archive.members.map(\.name)
      throw FileError(
        path: path, reason: "expected train_images and train_labels, got \(listed(names.map(quoted), most: 5))")
    }
    return try ImageArrays.load(path, parts)
  }
}
