import Checkpointing
import Configuration

/// What `icp report` was asked for.
package struct ReportOptions {
  /// Directories of runs and studies.
  package var paths: [String]
  package var checkpoint: TrainedRun.Checkpoint?
  /// The weights of a checkpoint's step, or their average.
  package var weightsKind: WeightsKind
  package var overrides: [String]
  /// Test images to measure; nil measures those that it gets to in a few seconds.
  package var samples: Int?
  /// The variant that others are compared with; nil takes the study's, or plain training.
  package var baseline: String?
  /// Hears what was chosen, a line each.
  package var tell: (String) -> Void

  package init(
    paths: [String], checkpoint: TrainedRun.Checkpoint? = nil, weightsKind: WeightsKind = .plain,
    overrides: [String] = [], samples: Int? = nil, baseline: String? = nil, tell: @escaping (String) -> Void = { _ in }
  ) {
    self.paths = paths
    self.checkpoint = checkpoint
    self.weightsKind = weightsKind
    self.overrides = overrides
    self.samples = samples
    self.baseline = baseline
    self.tell = tell
  }
}
