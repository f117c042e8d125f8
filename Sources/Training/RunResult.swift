import Checkpointing
import Configuration
import Reporting
import Runtime

/// How a run ended.
package struct RunResult: Sendable {
  package var progress: TrainingProgress
  package var report: EpochReport
  /// Of this start.
  package var seconds: Double

  package init(progress: TrainingProgress, report: EpochReport, seconds: Double) {
    self.progress = progress
    self.report = report
    self.seconds = seconds
  }
}
