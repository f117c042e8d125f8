import Foundation

/// What `icp doctor` finds out by trying.
package struct ProbeFacts: Codable, Sendable {
  package var singleCopy: SingleCopyFacts?
  /// Rank 0 alone.
  package var runDirectory: RunDirectoryFacts?
  /// Whether this rank sees the file that rank 0 put into the run directory; nil where that could not be tried.
  package var seesRunDirectory: Bool?
  /// What `mpirun --version` says, empty where there is none. Rank 0 alone.
  package var mpirun: String?
  /// Of the executable file.
  package var checksum: UInt32?

  package init() {}
}
