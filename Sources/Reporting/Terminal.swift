import Glibc

/// Whether a person is looking.
enum Terminal {
  /// mpirun gives its ranks a pseudo-terminal as standard output even when its own goes into a pipe or a file, so
  /// under mpirun the question is put to mpirun's: it is the parent of the ranks on its own host.
  static func isAttached(to descriptor: Int32) -> Bool {
    guard isatty(descriptor) == 1 else { return false }
    return getenv("OMPI_COMM_WORLD_SIZE") == nil || isTerminal(process: getppid(), descriptor: descriptor)
  }

  /// Columns; mpirun's pseudo-terminal does not know them and says 0.
  static func width(of descriptor: Int32) -> Int {
    var size = winsize()
    if ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 { return Int(size.ws_col) }
    return getenv("COLUMNS").flatMap { Int(String(cString: $0)) } ?? 80
  }

  private static func isTerminal(process: pid_t, descriptor: Int32) -> Bool {
    var target = [UInt8](repeating: 0, count: 256)
    let count = target.withUnsafeMutableBytes {
      readlink(
        "/proc/\(process)/fd/\(descriptor)", $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count)
    }
    let name = String(decoding: target.prefix(max(count, 0)), as: UTF8.self)
    return name.hasPrefix("/dev/pts/") || name.hasPrefix("/dev/tty") || name == "/dev/console"
  }
}

/// Writes all of `text`; false when nobody can read it any more.
@discardableResult
package func write(_ text: String, to descriptor: Int32) -> Bool {
  var rest = Array(text.utf8)[...]
  while !rest.isEmpty {
    let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress!, $0.count) }
    if count >= 0 {
      rest = rest.dropFirst(count)
    } else if errno == EAGAIN {
      usleep(1000)
    } else if errno != EINTR {
      return false
    }
  }
  return true
}
