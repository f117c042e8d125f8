import Configuration
import Datasets
import Files
import Formats
import Images
import Kernels
import Pictures
import Runtime

/// Images that are to be classified, as they were named: pictures, folders of them, arrays. They are read when they are
/// asked for.
package struct PredictionInput: Sendable {
  /// What it is called in the results.
  package let name: String
  private let read: @Sendable (Preprocessing.View) throws(FileError) -> Picture

  /// The picture as the network sees it, before normalisation.
  func picture(_ view: Preprocessing.View) throws(FileError) -> Picture { try read(view) }

  /// All images of a path: a picture's file, a folder with the pictures in it and below, a `.npy` array or the arrays
  /// of an `.npz` archive. Throws where there is none, or an array is of another kind.
  package static func all(_ path: String) throws -> [PredictionInput] {
    guard let kind = FileKind(path, followingLinks: true) else {
      throw FileError(path: path, reason: "no such file or directory\(ShellPath.hint(path))")
    }
    if kind == .directory {
      let files = try FolderListing.pictures(below: path)
      guard !files.isEmpty else { throw FileError(path: path, reason: "holds no pictures (.jpg, .jpeg, .png)") }
      return files.map(picture)
    }
    if path.hasSuffix(".npy") { return try array(NumpyFile(path: path), name: path) }
    if path.hasSuffix(".npz") { return try archive(path) }
    return [picture(path)]
  }

  private static func picture(_ path: String) -> PredictionInput {
    PredictionInput(name: path) { (view) throws(FileError) in
      let bytes: [UInt8]
      do throws(FileError) { bytes = try RegularFile.read(path) } catch {
        throw FileError(path: visible(path), reason: error.reason)
      }
      do throws(ImageError) {
        return view.apply(
          try bytes.withBytes { (bytes) throws(ImageError) in try Picture.decode(bytes, channels: view.shape.channels) }
        )
      } catch { throw FileError(path: visible(path), reason: error.reason) }
    }
  }

  /// Bytes, N x H x W or N x H x W x C: of the network's size, since arrays are what somebody has prepared.
  private static func array(_ array: NumpyFile, name: String) throws(FileError) -> [PredictionInput] {
    guard isImages(array) else {
      throw FileError(
        path: array.path,
        reason: "an array of shape \(array.shape) of \(array.type.rawValue), expected bytes (u1) of shape "
          + "[N, height, width] or [N, height, width, 3]")
    }
    let shape = ImageShape(
      channels: array.shape.count == 4 ? array.shape[3] : 1, height: array.shape[1], width: array.shape[2])
    return (0..<array.shape[0]).map { index in
      PredictionInput(name: "\(name), \(index)") { (view) throws(FileError) in
        guard shape == view.shape else {
          throw FileError(path: array.path, reason: "images of \(shape), but these weights take \(view.shape)")
        }
        return Picture(
          width: shape.width, height: shape.height, channels: shape.channels,
          pixels: array.withBytes { Array($0[index * shape.count..<(index + 1) * shape.count]) })
      }
    }
  }

  private static func isImages(_ array: NumpyFile) -> Bool {
    array.type == .u1 && (array.shape.count == 3 || array.shape.count == 4 && [1, 3].contains(array.shape[3]))
      && array.shape.dropFirst().allSatisfy { 1...65536 ~= $0 }
  }

  private static func archive(_ path: String) throws(FileError) -> [PredictionInput] {
    let archive = try ZipFile(path: path)
    // Unpacked, all lie in memory.
    var room = HostMemory.part(2)
    var inputs: [PredictionInput] = []
    for member in archive.members where member.name.hasSuffix(".npy") {
      let block = try archive.contents(of: member, limit: room)
      room -= block.bytes.count
      let array = try NumpyFile(block, path: "\(path), \(quoted(member.name))")
      // Labels, for one, may lie beside them.
      if isImages(array) { inputs += try self.array(array, name: "\(path), \(member.name.dropLast(4))") }
    }
    guard !inputs.isEmpty else {
      throw FileError(
        path: path, reason: "holds no array of images: bytes (u1) of shape [N, height, width] or [N, height, width, 3]")
    }
    return inputs
  }
}
