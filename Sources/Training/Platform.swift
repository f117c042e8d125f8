import Formats
import Foundation
import Kernels
import MPI

/// What bits can depend on besides the configuration, and what a message says of where it comes from.
package enum Platform {
  /// Changes with every change of the kernels that changes bits: a run resumed from a checkpoint of another one says that it
  /// is not bit-reproducible.
  package static let version = "0.2.0"

  /// Ours, MPI's, the kernels' versions, and the instruction set: one line.
  package static var description: String {
    "icp \(version), \(World.libraryVersion), \(KernelLibrary.versions), \(KernelLibrary.instructionSet)"
  }

  /// CRC-32 of the executable file; nil where the system does not show it.
  package static var executableChecksum: UInt32? {
    (try? Data(contentsOf: URL(fileURLWithPath: "/proc/self/exe"), options: .alwaysMapped)).map { file in
      file.withUnsafeBytes { Checksum.crc32($0) }
    }
  }

  package static var host: String {
    var name = [CChar](repeating: 0, count: 256)
    gethostname(&name, 255)
    return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
