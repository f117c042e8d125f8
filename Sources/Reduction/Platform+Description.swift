import Configuration
import Formats
import Foundation
import Kernels
import MPI
import Runtime

extension Platform {
  /// Ours, MPI's, the kernels' versions, and the instruction set: one line.
  package static var description: String {
    "icp \(version), \(World.libraryVersion), \(KernelLibrary.versions), \(KernelLibrary.instructionSet)"
  }

  /// The same, and what computes in bfloat16 in such a run, if something does: what its bits depend on.
  package static func description(of configuration: RunConfiguration) -> String {
    description + configuration.precisionIdentity
  }

  /// CRC-32 of the executable file; nil where the system does not show it.
  package static var executableChecksum: UInt32? {
    (try? Data(contentsOf: URL(fileURLWithPath: "/proc/self/exe"), options: .alwaysMapped)).map { file in
      file.withUnsafeBytes { Checksum.crc32($0) }
    }
  }
}
