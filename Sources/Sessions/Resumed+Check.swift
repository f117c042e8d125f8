import Formats
import Checkpointing
import Configuration
import Files
import Planning
import Runtime
import Training

/// Whether a start goes on with the run that left a checkpoint.
extension Resumed {
  /// The configuration that the run began with.
  func savedConfiguration() throws -> RunConfiguration {
    guard let text = metadata["config"] else {
      throw FileError(path: path, reason: "metadata does not hold the run's configuration")
    }
    do {
      return try RunConfiguration(yaml: text, name: "\(path) (config)")
    } catch {
      throw FileError(path: path, reason: "its configuration cannot be read: \(error)")
    }
  }

  /// Throws where the start of `plan`, from `given`, would not go on with the run that `saved` began.
  func check(began saved: RunConfiguration, given: RunConfiguration, against plan: RunPlan) throws {
    // Mean and deviation that were, or are, computed are compared as part of the data.
    var current = plan.configuration
    if given.data.mean == nil || saved.data.mean == nil { current.data.mean = saved.data.mean }
    if given.data.std == nil || saved.data.std == nil { current.data.std = saved.data.std }
    if let difference = current.differences(from: saved).first {
      throw FileError(
        path: path, reason: "\(difference); --resume needs every key that decides the weights unchanged")
    }
    let isEarlier = metadata["preprocessing.mean"] == nil
    let identity = isEarlier ? plan.earlierDataIdentity : plan.dataIdentity
    guard metadata["data"] == identity else {
      let isGiven = isEarlier && current.data != plan.configuration.data
      let isRelabelled = plan.configuration.data.labelNoise.kind == .file
      throw FileError(
        path: path,
        reason:
          "\(isGiven ? "'data.mean' or 'data.std' is given and not what was computed, or " : "")"
          + "'data.path' \(isRelabelled ? "or 'data.label_noise.file' " : "")holds other data than the run began with "
          + "(counts, shape, labels and pixel statistics: \(identity); then: \(quoted(metadata["data"] ?? "none")))"
      )
    }
    if !isEarlier {
      // Of the same data, so only a value that is given can differ.
      try Preprocessing(metadata: metadata, path: path).check(
        plan.data.training.classNames, path: path)
      let own = plan.preprocessing.metadata
      for key in own.keys.sorted() where metadata[key] != own[key] {
        throw FileError(
          path: path,
          reason: "\(key) is \(own[key]!), but the run began with \(quoted(metadata[key] ?? "none"))")
      }
    }
    try state.checkProgress(stepsPerEpoch: plan.stepsPerEpoch, path: path)
  }
}
