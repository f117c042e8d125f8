import Configuration
import Files
import Runtime
import Training

/// `--extend`: a run that has come to its end goes on.
extension TrainingSession {
  /// The configuration that the run began with, as a start may have it: with `--extend` of so many epochs, as
  /// `configuration` then is too. Nil where nothing is resumed. A start that is repeated extends nothing more.
  func extend(_ configuration: inout RunConfiguration, _ resumed: Resumed?) throws -> RunConfiguration? {
    var saved = try resumed?.savedConfiguration()
    guard let extendedEpochs else { return saved }
    guard let resumed, let planned = saved?.training.epochs else {
      throw UsageError("--extend \(extendedEpochs): there is no run to go on with; name one with --run-dir")
    }
    func refuse(_ reason: String) -> UsageError { UsageError("--extend \(extendedEpochs): \(resumed.path) \(reason)") }
    guard extendedEpochs >= planned else {
      throw refuse("is of a run of \(counted(planned, "epoch")) already: expected more of them altogether")
    }
    guard extendedEpochs == planned || resumed.state.progress.epoch == planned else {
      throw refuse(
        "is of a run that has not come to its end, after \(resumed.state.progress.epoch) of \(counted(planned, "epoch")): "
          + "go on without --extend first")
    }
    configuration.training.epochs = extendedEpochs
    saved?.training.epochs = extendedEpochs
    return saved
  }
}
