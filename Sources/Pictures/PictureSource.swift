import Files
import Formats
import Images
import Runtime

/// A way in which pictures are kept. Conforming is a file; being known is a line of `PictureSources.all`.
package protocol PictureSource: Sendable {
  /// What `path` is, as a message says it; nil where it is nothing of this kind.
  static func recognises(_ path: String) -> String?
  /// Names all pictures and their labels, and reads none.
  static func list(_ path: String) throws(FileError) -> PictureListing
}

extension PictureSource {
  /// By the ending of its name; what a file is decides when it is read.
  static func isPicture(_ name: String) -> Bool {
    guard let dot = name.lastIndex(of: ".") else { return false }
    return ImageFormat.fileEndings.contains(name[name.index(after: dot)...].lowercased())
  }
}
