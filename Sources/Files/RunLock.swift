import Glibc
import Runtime

/// The one writer of a run directory: an flock on `.lock`, held for the life of this object.
///
/// mpirun returns up to 1.6 s before its ranks are dead, so a restart loop meets the old rank 0 still writing.
package final class RunLock {
  private let descriptor: Int32
  /// Why there is no lock: the file system has none (some Lustre and NFS mounts).
  package let missing: String?

  /// - Parameter patience: seconds to wait for another holder.
  package init(path: String, patience: Double, system: System) throws {
    let descriptor = try system.open(path, O_RDWR | O_CREAT | O_NOFOLLOW)
    let deadline = ContinuousClock.now + .seconds(patience)
    var missing: String?
    do {
      while true {
        do throws(SystemError) {
          try system.call("flock", path) { flock(descriptor, LOCK_EX | LOCK_NB) }
          break
        } catch  where error.code == ENOSYS || error.code == EOPNOTSUPP || error.code == ENOLCK {
          missing = "\(error); nothing keeps a second run out of this directory"
          break
        } catch  where error.code != EWOULDBLOCK {
          throw error
        } catch {
          guard ContinuousClock.now < deadline else {
            throw LockedError(path: System.parentDirectory(path), owner: Self.owner(descriptor))
          }
          usleep(50_000)
        }
      }
      // The name of the holder is for people: flock itself may hold on one node only.
      // Never empty in between: the text shows that the directory is a run's.
      let text = Array("\(Self.identity())\n".utf8)
      try system.write(text, to: descriptor, path: path)
      try system.call("ftruncate", path) { ftruncate(descriptor, off_t(text.count)) }
    } catch {
      close(descriptor)
      throw error
    }
    self.descriptor = descriptor
    self.missing = missing
  }

  /// Closing releases the lock; the file stays, since removing it would let two runs hold two files of one name.
  deinit { close(descriptor) }

  /// Whether a file was written by a lock of ours; nil where it is there and empty, as after a kill between the two.
  package static func isOurs(_ path: String) -> Bool? {
    guard let bytes = try? RegularFile.read(path, followLinks: false, limit: 4096) else { return false }
    if bytes.isEmpty { return nil }
    let text = String(decoding: bytes, as: UTF8.self)
    return text.hasPrefix("host ") && text.contains(" process ") && text.contains(" since ")
  }

  private static func identity() -> String {
    var now = time(nil)
    var parts = tm()
    gmtime_r(&now, &parts)
    var text = [CChar](repeating: 0, count: 32)
    strftime(&text, text.count, "%Y-%m-%d %H:%M:%S UTC", &parts)
    let start = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return "host \(Platform.host) process \(getpid()) since \(start)"
  }

  private static func owner(_ descriptor: Int32) -> String {
    var text = [UInt8](repeating: 0, count: 512)
    let count = pread(descriptor, &text, text.count, 0)
    let line = text.prefix(max(count, 0)).prefix { $0 >= 0x20 && $0 < 0x7F }
    return line.isEmpty ? "another process" : String(decoding: line, as: UTF8.self)
  }
}
