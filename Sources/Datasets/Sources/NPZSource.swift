import Files
import Formats
import Pictures
import Runtime

/// An `.npz` archive of arrays as MedMNIST publishes them: train_images, train_labels and, where there are, val_* and
/// test_*.
enum NPZSource: DataSource {
  static let format = DataFormat.npz

  static func recognises(_ path: String) -> String? {
    guard path.hasSuffix(".npz"), System.isRegularFile(path) else { return nil }
    return "an .npz archive"
  }

  static func load(_ path: String, _ options: DataOptions) throws(FileError) -> LoadedData {
    try ImageArrays.load(path, parts(path, PictureListing.Part.allCases))
  }

  static func loadTest(_ path: String, _ options: DataOptions) throws(FileError) -> Dataset? {
    try ImageArrays.loadTest(parts(path, [.test]))
  }

  private static func parts(
    _ path: String, _ wanted: [PictureListing.Part]
  ) throws(FileError) -> [(PictureListing.Part, ImageArrays)] {
    guard System.isRegularFile(path) else {
      throw FileError(path: path, reason: "is no file, expected an .npz archive")
    }
    let archive = try ZipFile(path: path)
    // Unpacked, all lie in memory.
    var room = HostMemory.part(2)
    func member(_ name: String) -> ZipFile.Member? { archive.members.first { $0.name == name + ".npy" } }
    func array(_ name: String) throws(FileError) -> NumpyFile? {
      guard let member = member(name) else { return nil }
      let block = try archive.contents(of: member, limit: room)
      room -= block.bytes.count
      return try NumpyFile(block, path: "\(path), \(quoted(member.name))")
    }
    var parts: [(PictureListing.Part, ImageArrays)] = []
    for part in wanted {
      guard let names = try ImageArrays.names(part, in: path, isHeld: { member($0) != nil }) else { continue }
      guard let images = try array(names.images), let labels = try array(names.labels) else { continue }
      parts.append((part, ImageArrays(images: images, labels: labels)))
    }
    guard !parts.isEmpty else {
      let names = archive.members.map(\.name)
      throw FileError(
        path: path, reason: "expected train_images and train_labels, got \(listed(names.map(quoted), most: 5))")
    }
    return parts
  }
}
