import Files
import Formats
import Foundation

/// Where the index of a place is kept.
package struct PictureIndexFile {
  let folder: String
  private let path: String

  package init(folder: String, path: String, badFiles: BadFiles) {
    self.folder = folder
    let whole = path.hasPrefix("/") ? path : "\(FileManager.default.currentDirectoryPath)/\(path)"
    let sum = Checksum.crc32(Array("\(whole) \(badFiles.rawValue)".utf8))
    self.path = "\(folder)/index-\(Checksum.hexadecimal(sum)).icp"
  }

  /// nil where there is none that is whole.
  package func read() -> PictureIndex? {
    guard let file = try? MappedFile(path: path) else { return nil }
    return withExtendedLifetime(file) { PictureIndex(encoded: file.bytes) }
  }

  /// Whole or not at all.
  package func write(_ index: PictureIndex) throws(FileError) {
    do throws(SystemError) {
      try System().makeDirectories(folder)
      try AtomicFile().replace(path, with: index.encoded)
    } catch {
      // Another job may write the same one at this moment, and on another host under our process number.
      guard read() != index else { return }
      throw FileError(path: path, reason: "the index cannot be written (data.cache): \(error.reason)")
    }
  }
}
