import Configuration
import MPI
import Planning
import Reporting
import Runtime
import Supervision

/// What a finished run was found to do.
package struct FinalReport {
  package var robustness: RobustnessReport
  var episodes: [EpisodeReport] = []

  /// Of the record `final`.
  package var values: [(String, RecordValue)] {
    var values = robustness.values
    if let way = episodes.first?.options.way { values.append(("episodes_way", .integer(way))) }
    for report in episodes {
      values.append(("episodes_\(report.options.shots)_shot_accuracy", .number(report.accuracy)))
      values.append(("episodes_\(report.options.shots)_shot_interval", .number(report.interval)))
    }
    return values
  }

  /// For people.
  package var text: String { ([robustness.text] + episodes.map(\.text)).joined(separator: "\n\n") }
}

extension FinalCheck {
  /// What `icp robustness` measures too.
  var robustness: RobustnessCheck? { RobustnessCheck(rawValue: rawValue) }
}
