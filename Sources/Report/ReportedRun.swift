import Checkpointing
import Configuration
import Evaluation
import Files
import Reporting
import Runtime

/// A run as the page tells of it: its records, and what its weights make of test images. What is not there has a
/// sentence in its place.
struct ReportedRun {
  /// As the user named it.
  let directory: String
  let configuration: RunConfiguration
  let records: RunRecords
  /// The run beside it that is the same without the method, or with it; nil without, and of one that is only overlaid.
  let counterpart: String?
  /// Nil of a run without, and of one that is only overlaid.
  let trace: RunTrace?
  /// The checkpoint that was taken, and its metadata; nil of a run without one, or of one that is only overlaid.
  let weights: String?
  let weightsKind: WeightsKind
  let metadata: [String: String]
  let images: TestImages?
  let measurement: TestImages.Measurement?
  /// Why there are no weights or no test images; nil where there are.
  let missing: String?

  /// Records alone.
  init(overlaid directory: String) throws {
    let file = "\(directory)/\(RunDirectory.configName)"
    self.directory = directory
    configuration = try RunConfiguration.load(path: file, readsData: false)
    records = RunRecords("\(directory)/metrics.jsonl")
    counterpart = nil
    trace = nil
    weightsKind = .plain
    weights = nil
    metadata = [:]
    images = nil
    measurement = nil
    missing = nil
  }

  /// Throws where the directory is no run's, or `options` are not for it.
  init(_ directory: String, _ options: ReportOptions, seconds: Double) throws {
    let file = "\(directory)/\(RunDirectory.configName)"
    let configuration = try RunConfiguration.load(path: file, overrides: options.overrides, readsData: false)
    self.directory = directory
    self.configuration = configuration
    records = RunRecords("\(directory)/metrics.jsonl")
    let place = directory.count > 1 && directory.hasSuffix("/") ? String(directory.dropLast()) : directory
    counterpart = Counterpart.path(of: configuration, in: place)
    weightsKind = options.weightsKind
    trace = RunTrace("\(directory)/\(RunDirectory.traceName)")
    let found = try Self.weights(directory, options)
    weights = found.run?.weights
    metadata = found.run.flatMap { try? CheckpointStore.load(path: $0.weights).metadata } ?? [:]
    guard let run = found.run else {
      images = nil
      measurement = nil
      missing = found.missing
      return
    }
    // An average that was asked for must be there.
    let average = options.weightsKind == .ema ? try WeightsFile(path: run.weights, kind: .ema) : nil
    let measured = Result {
      let weights = try average ?? WeightsFile(path: run.weights)
      if let choice = weights.choice(by: "--weights-kind") { options.tell(choice) }
      let images = try TestImages(configuration, weights: weights)
      if let warning = images.warning { options.tell("warning: \(warning)") }
      return (images: images, measurement: try images.measure(most: options.samples, seconds: seconds))
    }
    switch measured {
    case .success(let found): (images, measurement, missing) = (found.images, found.measurement, nil)
    case .failure(let error):
      images = nil
      measurement = nil
      missing = "The test images cannot be measured: \(error)."
    }
  }

  /// A checkpoint that was asked for must be there; of the newest there may be none yet.
  private static func weights(
    _ directory: String, _ options: ReportOptions
  ) throws -> (run: TrainedRun?, missing: String?) {
    do {
      let run = try TrainedRun(directory, weights: nil, checkpoint: options.checkpoint)
      for note in run.notes { options.tell(note) }
      return (run, nil)
    } catch let error as FileError where options.checkpoint == nil {
      return (nil, "There are no weights to measure: \(error).")
    }
  }

  /// T; 0 without the method.
  var steps: Int { configuration.icp.refinementSteps }

  /// "resnet8 on glyphs, rule adam with 5 steps"
  var title: String {
    let method =
      steps == 0 ? "without refinement" : "rule \(configuration.icp.rule.rawValue) with \(counted(steps, "step"))"
    return "\(configuration.model.kind.rawValue) on \(configuration.data.format.rawValue), \(method)"
  }

  var epochs: Int { records.epochs.count }

  /// What a class is called: by its name, else by its number.
  func name(_ label: Int) -> String {
    guard let names = images?.classNames, label < names.count else { return "\(label)" }
    return names[label]
  }

  /// Which weights the measured figures are of.
  var measuredOf: String? {
    guard let weights, let measurement, let images else { return nil }
    let step = metadata["step"].map { " (step \($0))" } ?? ""
    let all = measurement.predictions.count == images.count
    let average = weightsKind == .ema ? "the average of the weights in " : ""
    return
      "Measured on \(all ? "all \(Table.grouped(images.count))" : "\(Table.grouped(measurement.predictions.count)) of \(Table.grouped(images.count))") "
      + "test images\(all ? "" : ", drawn at random,") by \(average)\(weights)\(step)"
      + (all ? "." : "; --samples \(images.count) measures all of them.")
  }
}
