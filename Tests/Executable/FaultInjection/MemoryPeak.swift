import Glibc
import Runtime

/// What a process took at most, written as it ends: only then does the kernel know it exactly. Who looks at a process
/// from outside, every few milliseconds, misses its last ones on a busy machine.
package enum MemoryPeak {
  /// Names the folder in which each rank leaves its peak in bytes, in a file of its number.
  private static let variable = "ICP_MEMORY_PEAKS"

  /// Nothing where `variable` is not set.
  package static func tellAtExit() {
    guard getenv(variable) != nil else { return }
    atexit {
      guard let folder = getenv(MemoryPeak.variable), let peak = HostMemory.peakResident,
        let files = HostMemory.residentFiles
      else { return }
      // Open MPI's name, and that of MPICH and Intel MPI; a program alone is rank 0.
      let rank = getenv("OMPI_COMM_WORLD_RANK") ?? getenv("PMI_RANK")
      let name = String(cString: folder) + "/" + (rank.map { String(cString: $0) } ?? "0")
      guard let file = fopen(name, "w") else { return }
      fputs("\(peak - files)", file)
      fclose(file)
    }
  }
}
