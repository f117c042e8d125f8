import Glibc

/// Which file a path leads to, whatever the spelling: device and inode.
package struct FileIdentity: Equatable, Sendable {
  private let device: UInt64
  private let inode: UInt64

  /// Follows links; nil where nothing is there.
  package init?(_ path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    device = UInt64(status.st_dev)
    inode = UInt64(status.st_ino)
  }

  package static func same(_ path: String, _ other: String) -> Bool {
    guard let identity = FileIdentity(path) else { return false }
    return identity == FileIdentity(other)
  }

  /// Whether `folder` is one of those in which `path` lies, or would lie.
  package static func same(_ folder: String, above path: String) -> Bool {
    guard System.isDirectory(folder), let identity = FileIdentity(folder) else { return false }
    var place = System.parentDirectory(path)
    // Links and `..` are the system's to read: the real path is free of them.
    guard let real = realpath(place, nil) else { return false }
    defer { free(real) }
    place = String(cString: real)
    while true {
      if FileIdentity(place) == identity { return true }
      guard place != "/" else { return false }
      place = System.parentDirectory(place)
    }
  }
}
