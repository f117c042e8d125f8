import Glibc

/// A regular file's bytes. A pipe would wait for ever and a device has no size, so both are refused.
func readFile(_ path: String, followLinks: Bool) throws(FormatError) -> [UInt8] {
  func failure(_ call: String) -> FormatError {
    let code = errno
    let hint =
      code == ELOOP && !followLinks
      ? "a symbolic link is not followed here" : String(cString: strerror(code)) + ShellPath.hint(path)
    return FormatError(path: path, reason: "\(call): \(hint)")
  }
  let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | (followLinks ? 0 : O_NOFOLLOW))
  guard descriptor >= 0 else { throw failure("open") }
  defer { close(descriptor) }
  var status = stat()
  guard fstat(descriptor, &status) == 0 else { throw failure("fstat") }
  guard status.st_mode & S_IFMT == S_IFREG else {
    throw FormatError(path: path, reason: "not a regular file")
  }

  let size = Int(status.st_size)
  // A sparse file of a terabyte costs its author nothing; asking for the memory would end this process.
  guard size < sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE)) else {
    throw FormatError(path: path, reason: "\(size) bytes are more than this machine's memory")
  }

  var failed: FormatError?
  let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
    while count < size {
      let received = read(descriptor, buffer.baseAddress! + count, size - count)
      if received > 0 {
        count += received
      } else if received == 0 {
        failed = FormatError(path: path, reason: "shrank to \(count) of \(size) bytes while it was read")
        return
      } else if errno != EINTR {
        failed = failure("read")
        return
      }
    }
  }
  if let failed { throw failed }
  return bytes
}
