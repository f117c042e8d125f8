import CMPI
import Glibc

/// The memory of another process of this host, as Open MPI's ranks read it from each other (CMA).
package enum ForeignMemory {
  /// Copies the eight bytes at `address` in `process`. The corresponding C function is `process_vm_readv`.
  /// - Returns: nil where that is not permitted, with `errno` set.
  package static func read(process: Int32, address: UInt) -> UInt64? {
    var copy: UInt64 = 0
    let count = withUnsafeMutableBytes(of: &copy) { bytes in
      var local = iovec(iov_base: bytes.baseAddress, iov_len: bytes.count)
      var remote = iovec(iov_base: UnsafeMutableRawPointer(bitPattern: address), iov_len: bytes.count)
      return process_vm_readv(process, &local, 1, &remote, 1, 0)
    }
    return count == 8 ? copy : nil
  }
}
