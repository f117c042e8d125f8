import Files
import Formats
import Pictures

/// A folder of `.npy` files: train_images.npy and train_labels.npy (or x_train, y_train) and, where there are, those of
/// val and test.
enum NPYSource: DataSource {
  static let format = DataFormat.npy

  static func recognises(_ path: String) -> String? {
    let names = Set((try? FolderListing.entries(of: path).map(\.name)) ?? [])
    let isHeld = [PictureListing.Part.training, .test].flatMap(ImageArrays.names).contains {
      names.contains($0.images + ".npy") && names.contains($0.labels + ".npy")
    }
    return isHeld ? ".npy arrays" : nil
  }

  static func load(_ path: String, _ options: DataOptions) throws(FileError) -> LoadedData {
    try ImageArrays.load(path, parts(path))
  }

  static func loadTest(_ path: String, _ options: DataOptions) throws(FileError) -> Dataset? {
    try ImageArrays.loadTest(parts(path))
  }

  private static func parts(_ path: String) throws(FileError) -> [(PictureListing.Part, ImageArrays)] {
    let held = Set(try FolderListing.entries(of: path).map(\.name))
    var parts: [(PictureListing.Part, ImageArrays)] = []
    for part in PictureListing.Part.allCases {
      guard let names = try ImageArrays.names(part, in: path, isHeld: { held.contains($0 + ".npy") }) else { continue }
      guard held.contains(names.labels + ".npy") else {
        throw FileError(
          path: "\(path)/\(names.images).npy", reason: "has no labels, expected \(names.labels).npy beside it")
      }
      let images = try NumpyFile(path: "\(path)/\(names.images).npy")
      parts.append((part, ImageArrays(images: images, labels: try NumpyFile(path: "\(path)/\(names.labels).npy"))))
    }
    return parts
  }
}
