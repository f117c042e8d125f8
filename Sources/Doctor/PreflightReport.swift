import Files
import Foundation
import MPI
import Reporting

/// All findings, as `icp doctor` prints them.
package struct PreflightReport: Encodable {
  package let findings: [Finding]

  package init(_ findings: [Finding]) { self.findings = findings }

  /// The first error decides.
  package var exitStatus: Int32 { firstError?.exitStatus ?? 0 }
  package var firstError: Finding? { findings.first { $0.level == .error } }

  /// Ends all ranks in order, with the first error; all of them have the same report.
  package func check() throws {
    guard let error = firstError else { return }
    throw SharedError(exitCode: exitStatus, description: error.message)
  }

  /// A line a finding, and their number.
  package var text: String {
    let lines = findings.map { finding in
      let level = finding.level.rawValue
      return level + String(repeating: " ", count: 9 - level.count) + finding.message
    }
    let counts = [(Finding.Level.warning, "warning"), (.error, "error")].map { level, name in
      let count = findings.filter { $0.level == level }.count
      return "\(count == 0 ? "no" : "\(count)") \(name)\(count > 1 ? "s" : "")"
    }
    return (lines + ["\(findings.count) findings: " + counts.joined(separator: ", ")]).joined(separator: "\n")
  }

  /// {"exit_status": 0, "findings": [{"level", "subject", "text" and where there are any "remedy", "exit_status"}]}
  package var json: String {
    JSONText.of(self)
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(exitStatus, forKey: .exitStatus)
    try container.encode(findings, forKey: .findings)
  }

  private enum CodingKeys: String, CodingKey {
    case findings
    case exitStatus = "exit_status"
  }
}
