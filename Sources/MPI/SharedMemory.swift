import CShared
import Glibc

/// Memory that the ranks of a host share. No file has it: nothing is left of it after a kill.
package enum SharedMemory {
  /// `bytes` bytes of zeros, the same on all ranks of `host`, each of which calls it and unmaps them in the end. Nil on
  /// all of them where memory cannot be shared.
  /// - Parameter host: `onThisHost()`.
  package static func map(_ bytes: Int, on host: Communicator) throws(MPIError) -> UnsafeMutableRawPointer? {
    let size = bytes + MemoryLayout<UInt64>.size
    let own = host.rank == 0 ? shared_create(size) : -1
    // Containers may take themselves for one host and yet number their processes apart: that it is this memory shows in
    // a word after its end, before anything is written to it.
    let number = UInt64.random(in: 1...(.max))
    let token = try host.broadcast(withUnsafeBytes(of: number) { Array($0) })
    if own >= 0 { pwrite(own, token, token.count, off_t(bytes)) }
    let path = String(decoding: try host.broadcast(Array("/proc/\(getpid())/fd/\(own)".utf8)), as: UTF8.self)
    var descriptor = host.rank == 0 ? own : open(path, O_RDWR | O_CLOEXEC)
    var found = [UInt8](repeating: 0, count: token.count)
    if descriptor >= 0, pread(descriptor, &found, found.count, off_t(bytes)) != found.count || found != token {
      close(descriptor)
      descriptor = -1
    }
    let mapped = descriptor < 0 ? MAP_FAILED : mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
    // Rank 0's descriptor is the name by which the others find it.
    let isShared = try host.minimum([mapped == MAP_FAILED ? 0 : 1])[0] == 1
    if descriptor >= 0 { close(descriptor) }
    if isShared { return mapped }
    if mapped != MAP_FAILED { munmap(mapped, bytes) }
    return nil
  }
}
