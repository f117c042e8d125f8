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
}
