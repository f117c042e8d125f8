import Files
import Foundation
import MPI
import Reporting

/// What a check of the preflight found: one line of `icp doctor`.
package struct Finding: Codable, Sendable, Equatable {
  package enum Level: String, Codable, Sendable, Comparable {
    /// As it should be.
    case ok
    /// Worth knowing.
    case note
    /// The run goes on, slower or in danger.
    case warning
    /// The run would end, with `exitStatus`.
    case error

    private var rank: Int { [.ok, .note, .warning, .error].firstIndex(of: self)! }
    package static func < (left: Level, right: Level) -> Bool { left.rank < right.rank }
  }

  package let level: Level
  /// What was looked at, in a word or two.
  package let subject: String
  package let text: String
  /// What to set or to do.
  package let remedy: String?
  /// How a run would end; errors have one.
  package let exitStatus: Int32?

  package static func ok(_ subject: String, _ text: String) -> Finding {
    Finding(level: .ok, subject: subject, text: text, remedy: nil, exitStatus: nil)
  }
  package static func note(_ subject: String, _ text: String) -> Finding {
    Finding(level: .note, subject: subject, text: text, remedy: nil, exitStatus: nil)
  }
  package static func warning(_ subject: String, _ text: String, remedy: String) -> Finding {
    Finding(level: .warning, subject: subject, text: text, remedy: remedy, exitStatus: nil)
  }
  /// Without a remedy where the text holds it.
  package static func error(_ subject: String, _ text: String, remedy: String? = nil, exitStatus: Int32) -> Finding {
    Finding(level: .error, subject: subject, text: text, remedy: remedy, exitStatus: exitStatus)
  }

  /// "/dev/shm: vm has 1 MiB free; set ..."
  package var message: String { "\(subject): \(text)\(remedy.map { "; \($0)" } ?? "")" }

  private enum CodingKeys: String, CodingKey {
    case level, subject, text, remedy
    case exitStatus = "exit_status"
  }
}
