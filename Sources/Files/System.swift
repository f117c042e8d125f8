import Glibc

/// The one way from this folder to the operating system: every call is checked, and its error names call and path.
package struct System: Sendable {
  /// Lets a test make any call fail, or all from the nth on as a kill would; returns the errno, or nil to proceed.
  /// SQLite tests its writer in this way. Nothing sets it outside tests.
  private let fault: (@Sendable (_ call: String) -> Int32?)?

  package init(fault: (@Sendable (_ call: String) -> Int32?)? = nil) { self.fault = fault }

  /// Makes a call that returns -1 and sets errno when it fails; an interrupted call is made again.
  @discardableResult
  package func call<Result: FixedWidthInteger>(
    _ name: String, _ path: String, _ body: () -> Result
  ) throws(SystemError) -> Result {
    while true {
      if let code = fault?(name) { throw SystemError(call: name, path: path, code: code) }
      let result = body()
      if result != -1 { return result }
      let code = errno
      // Linux closes the descriptor even when close is interrupted: a second close could hit another file.
      guard code == EINTR, name != "close" else { throw SystemError(call: name, path: path, code: code) }
    }
  }

  /// Makes a call that returns its errno, as posix_fallocate does.
  func callReturningCode(_ name: String, _ path: String, _ body: () -> Int32) throws(SystemError) {
    try call(name, path) {
      let code = body()
      errno = code
      return code == 0 ? 0 : Int32(-1)
    }
  }

  package func open(_ path: String, _ flags: Int32, mode: mode_t = 0o644) throws(SystemError) -> Int32 {
    try call("open", path) { Glibc.open(path, flags | O_CLOEXEC, mode) }
  }

  /// Writes all bytes, in as many calls as it takes.
  package func write(_ bytes: [UInt8], to descriptor: Int32, path: String) throws(SystemError) {
    var done = 0
    while done < bytes.count {
      done += try call("write", path) {
        bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress! + done, bytes.count - done) }
      }
    }
  }

  package static func isDirectory(_ path: String) -> Bool { FileKind(path, followingLinks: true) == .directory }
  package static func isRegularFile(_ path: String) -> Bool { FileKind(path, followingLinks: true) == .regular }

  /// Makes the names in a directory durable: without it a returned rename is lost in a power cut.
  package func synchronizeDirectory(_ path: String) throws(SystemError) {
    let descriptor = try open(path, O_RDONLY | O_DIRECTORY)
    do throws(SystemError) {
      try call("fsync", path) { fsync(descriptor) }
    } catch  where error.code == EINVAL {
      // Some network and FUSE file systems have nothing to synchronise in a directory, and say so like this.
    } catch {
      close(descriptor)
      throw error
    }
    try call("close", path) { close(descriptor) }
  }

  /// Makes a directory and those above it; one that exists is fine, a file in its place is not.
  package func makeDirectories(_ path: String) throws(SystemError) {
    if Self.isDirectory(path) { return }
    let parent = Self.parentDirectory(path)
    if parent != path { try makeDirectories(parent) }
    do throws(SystemError) {
      try call("mkdir", path) { mkdir(path, 0o755) }
    } catch  where error.code == EEXIST && Self.isDirectory(path) {
      return
    }
    try synchronizeDirectory(parent)
  }

  /// Makes a directory and those above it; false where something of that name is there already.
  package func makeNewDirectory(_ path: String) throws(SystemError) -> Bool {
    let parent = Self.parentDirectory(path)
    try makeDirectories(parent)
    do throws(SystemError) {
      try call("mkdir", path) { mkdir(path, 0o755) }
    } catch  where error.code == EEXIST {
      return false
    }
    try synchronizeDirectory(parent)
    return true
  }

  /// "runs" of "runs/a", "/" of "/a", "." of "a".
  package static func parentDirectory(_ path: String) -> String {
    var trimmed = path[...]
    while trimmed.count > 1, trimmed.hasSuffix("/") { trimmed.removeLast() }
    guard let slash = trimmed.lastIndex(of: "/") else { return "." }
    return slash == trimmed.startIndex ? "/" : String(trimmed[..<slash])
  }

  /// The names in a directory, sorted.
  package func list(_ path: String) throws(SystemError) -> [String] {
    guard let directory = opendir(path) else { throw SystemError(call: "opendir", path: path, code: errno) }
    defer { closedir(directory) }
    var names: [String] = []
    errno = 0
    while let entry = readdir(directory) {
      names.append(
        withUnsafePointer(to: &entry.pointee.d_name) {
          $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        })
      errno = 0
    }
    guard errno == 0 else { throw SystemError(call: "readdir", path: path, code: errno) }
    return names.filter { $0 != "." && $0 != ".." }.sorted()
  }
}
