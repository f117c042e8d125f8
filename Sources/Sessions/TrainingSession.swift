import Checkpointing
import Configuration
import Doctor
import Evaluation
import Files
import Formats
import Foundation
import Graph
import Kernels
import Logging
import MPI
import Models
import Planning
import Reduction
import Reporting
import Runtime
import Supervision
import Training

/// One start of a run, from a configuration to its summary: what `icp train` does.
package struct TrainingSession {
  let configuration: RunConfiguration
  let name: String
  /// Nil: a new one, `runs/NAME-TIME`.
  let runDirectory: String?
  let resume: ResumeChoice
  /// `--extend`: how many epochs a run that has come to its end is to have altogether.
  let extendedEpochs: Int?
  let communicator: Communicator
  private let console: Console
  let logger: Logger
  let supervision: Supervision
  private let trace: PhaseTrace?
  /// One of many: no word on the console, and warnings carry the run's name.
  private let isQuiet: Bool

  /// `name` is the configuration file as the user gave it; the run directory defaults to runs/NAME-TIME.
  /// - Parameters:
  ///   - extendedEpochs: what a run that has come to its end goes on to.
  ///   - tracedSteps: whose phases on all ranks are written to RUN/trace.json.
  package init(
    configuration: RunConfiguration, name: String, runDirectory: String?, resume: ResumeChoice,
    communicator: Communicator, supervision: Supervision, extendedEpochs: Int? = nil,
    tracedSteps: ClosedRange<Int>? = nil, isQuiet: Bool = false
  ) {
    self.extendedEpochs = extendedEpochs
    trace = tracedSteps.map { PhaseTrace(steps: $0) }
    self.supervision = supervision
    self.isQuiet = isQuiet
    self.configuration = configuration
    self.name = name
    self.resume = resume
    self.communicator = communicator
    self.runDirectory = runDirectory
    console = isQuiet ? .silent : Console(every: configuration.logging.everySteps)
    if communicator.rank == 0, !isQuiet { ConsoleLogHandler.install(console: console) }
    var logger = Logger(label: "icp")
    if isQuiet { logger[metadataKey: "run"] = "\(name)" }
    self.logger = logger
    KernelLibrary.setThreads(configuration.training.threads)
    if resume == .auto, runDirectory == nil, communicator.rank == 0 {
      logger.warning("--resume auto without --run-dir starts a new run, in a directory of its own")
    }
  }

  /// `--dry-run`: every check, and what would run.
  package func describe() throws {
    try checkPlaces()
    let weights = try readWeights()
    let plan = try makePlan(from: nil, weights)
    let memory = RankMemory(plan, ranks: communicator.size, final: try makeFinalEvaluation(plan))
    _ = try makeModel(plan, weights)
    try communicator.onFirstRank {
      let description = PlanDescription(
        plan: plan, ranks: communicator.size, memory: memory.text(ranks: communicator.size))
      try StandardOutput.print(description.text)
    }
  }

  @discardableResult package func run() throws -> RunResult {
    try checkPlaces()
    // A directory that is resumed from is read before the plan is made: `shards: auto` is what the run began with.
    return try run(in: try openDirectory(toRead: true))
  }

  /// `found`: the directory that rank 0 holds already, since there may be something to resume from.
  private func run(in found: RunDirectory?) throws -> RunResult {
    let resumed = try loadState(found)
    let weights = try readWeights()
    let plan = try makePlan(from: resumed, weights)
    let finalEvaluation = try makeFinalEvaluation(plan)
    if !isQuiet {
      let memory = RankMemory(plan, ranks: communicator.size, final: finalEvaluation)
      try Preflight.warn(about: plan, memory, communicator: communicator, logger: logger)
    }
    // Before the directory is opened to write: with --resume never that clears it.
    let model = try makeModel(plan, weights)
    // Every rank takes part, though rank 0 alone knows whether it is open already.
    let opened = try openDirectory(toRead: false, unless: found)
    // While rank 0 waited for the lock, another start may have made the run.
    if try hasFilled(opened, since: found) { return try run(in: opened) }
    StopRequests.isReady()
    let journal = try communicator.collectively {
      try opened.map { try openJournal(in: $0, plan: plan, resumed: resumed) }
    }

    let rounds = SharedRounds(communicator, supervision)
    let saver = CheckpointSaver(plan.configuration, journal)
    let reporter = EpochReporter(
      Evaluator(model: model, backend: plan.configuration.kernels.convolution, rounds: rounds), journal, saver)
    let trainer = try communicator.collectively {
      let trainer = Trainer(
        plan: plan, model: model, communicator: communicator, clock: supervision.clock,
        rollCall: supervision.rollCall, probe: supervision.probe,
        observers: [
          NonFiniteGuard(plan.configuration.training.nonFinite, journal), StepRecorder(journal), StragglerWatch(),
          AgreementCheck(everySteps: plan.configuration.agreement.everySteps), StopOnRequest(supervision.stop, saver),
          saver, reporter,
        ] + (trace.map { [StepTracer($0, journal)] } ?? [])
          + (plan.configuration.logging.tensorboard ? [EventRecorder(journal, plan, model: model)] : []))
      if let resumed { try trainer.resume(from: resumed.state, path: resumed.path) }
      if let ended = try resumed?.savedConfiguration().training.epochs, ended < plan.configuration.training.epochs {
        trainer.progress.extensions = (trainer.progress.extensions ?? []) + [ended]
      }
      if let trace { try trainer.check(traced: trace.steps) }
      supervision.clock.trace = trace
      return trainer
    }
    if let resumed, communicator.rank == 0 { warn(ofAverageIn: resumed, plan) }
    if !isQuiet {
      journal?.line(greeting(plan, resumed, extensions: trainer.progress.extensions ?? []))
    }
    let result: RunResult
    do {
      let watch = Stopwatch()
      try Rollback(trainer, journal).run()
      result = RunResult(
        progress: trainer.progress, report: try reporter.lastReport(of: trainer), seconds: watch.seconds)
      if let report = try finalEvaluation?.run(model, rounds: rounds) {
        supervision.clock.enter(.records)
        try journal?.record(report, endOf: result)
      }
    } catch is StopRequested {
      throw SharedError(
        exitCode: ExitCode.stopped,
        description:
          "stopped on request in evaluation.final, after the last step, which is saved; --resume auto measures again"
      )
    } catch  where !(error is SharedError) {
      throw RunFailure(step: supervision.clock.step, phase: supervision.clock.phase, cause: error)
    }
    journal?.finish()
    if let journal { console.line(summary(result, journal).text) }
    return result
  }

  // MARK: Steps of a start

  /// The file of `model.weights`.
  private func readWeights() throws -> WeightsFile? {
    try communicator.collectively {
      try configuration.model.startingWeights.map { path -> WeightsFile in
        let weights = try WeightsFile(path: path, kind: configuration.model.weightsKind)
        try weights.preprocessing.checkChannels(configuration, path: path)
        return weights
      }
    }
  }

  /// The configuration, with what the weights that the run starts from say of preprocessing and it leaves open. A run
  /// that an earlier version began did without.
  private func configuration(_ resumed: Resumed?, _ weights: WeightsFile?) -> RunConfiguration {
    guard let weights, resumed == nil || resumed?.metadata["preprocessing.mean"] != nil else { return configuration }
    return weights.preprocessing.starting(configuration)
  }

  private func makePlan(from resumed: Resumed?, _ weights: WeightsFile?) throws -> RunPlan {
    let configuration = configuration(resumed, weights)
    let indexes = try communicator.pictureIndexes(configuration, supervision.clock)
    let plan = try communicator.collectively {
      let shards = resumed?.metadata["shards"].flatMap { Int($0) }
      var configuration = configuration
      let saved = try extend(&configuration, resumed)
      let plan = try RunPlan(
        saved.map(configuration.resuming) ?? configuration, ranks: communicator.size, resumedShards: shards,
        indexes: indexes)
      if let resumed, let saved { try resumed.check(began: saved, given: configuration, against: plan) }
      try RankMemory(plan, ranks: communicator.size).check()
      return plan
    }
    try communicator.agree(
      on: "the program",
      "\(Platform.description(of: plan.configuration)) \(Platform.executableChecksum.map(Checksum.hexadecimal) ?? "")")
    try communicator.agree(on: "the configuration", plan.configuration.agreedText)
    try communicator.agree(on: "the data", plan.measuredData)
    return plan
  }

  private func makeFinalEvaluation(_ plan: RunPlan) throws -> FinalEvaluation? {
    guard let evaluation = try communicator.collectively({ try FinalEvaluation(plan) }) else { return nil }
    try communicator.agree(on: "the data", evaluation.dataIdentity)
    return evaluation
  }

  /// The model with its first weights: from the seed, or from `model.weights`.
  private func makeModel(_ plan: RunPlan, _ weights: WeightsFile?) throws -> ModelState {
    let model = try communicator.collectively {
      let model = ModelState(plan.network, seed: configuration.training.seed)
      if let weights { try model.load(weights.tensors, from: weights.path, head: configuration.model.head) }
      return model
    }
    if communicator.rank == 0, let weights {
      warn(about: weights)
      if !isQuiet, configuration.model.head == .new {
        let head = plan.network.head.joined(separator: " and ")
        logger.info(
          "model.head: new: \(head) for \(counted(plan.network.classes, "class")) drawn afresh; the rest is of \(weights.path)"
        )
      }
    }
    return model
  }

  /// Of weights to start from, what was not to be expected of their preprocessing.
  private func warn(about weights: WeightsFile) {
    if let choice = weights.choice(by: "model.weights_kind:") { logger.info("\(choice)") }
    if !weights.preprocessing.isKnown, configuration.data.mean == nil || configuration.data.std == nil {
      logger.warning(
        "\(weights.path) does not say how its images were normalised; this run's mean and std are computed on its training images"
      )
    }
    let hasNewHead = configuration.model.head == .new
    for found in weights.preprocessing.differences(from: configuration, ignoringClasses: hasNewHead) {
      logger.warning(
        "'\(found.key)' is given as \(found.given), and holds, though \(weights.path) was trained with \(found.own)")
    }
  }

  /// `training.ema` may change where a run goes on, unless the average teaches: otherwise it moves no weight.
  private func warn(ofAverageIn resumed: Resumed, _ plan: RunPlan) {
    switch (resumed.state.average.isEmpty, plan.configuration.training.ema) {
    case (true, .some):
      logger.warning(
        "\(resumed.path) has no average of the weights (training.ema): it begins with those of step \(resumed.state.progress.step)"
      )
    case (false, nil):
      logger.warning("\(resumed.path) has an average of the weights, which ends here, since training.ema is none")
    default: break
    }
  }

  private func loadState(_ directory: RunDirectory?) throws -> Resumed? {
    try Resumed.load(communicator) {
      switch resume {
      case .never: return nil
      case .path(let path): return path
      case .auto, .unsaid:
        guard let directory else { return nil }
        let store = CheckpointStore(directory: directory, keep: configuration.checkpoint.keep)
        guard resume == .auto else {
          guard try store.hasCheckpoints else { return nil }
          throw UsageError(
            "\(directory.path) holds checkpoints: --resume auto goes on from the newest, --resume never starts over")
        }
        guard let point = try store.newestValid() else {
          guard try store.hasCheckpoints else { return nil }
          throw FileError(
            path: store.bestPath,
            reason: "the only checkpoint left; --resume \(ShellWord.path(store.bestPath)) goes on from it, "
              + "--resume never starts over")
        }
        for skipped in point.skipped { logger.warning("skipped a checkpoint: \(skipped)") }
        return point.path
      }
    }
  }

  private func openJournal(in directory: RunDirectory, plan: RunPlan, resumed: Resumed?) throws -> RunJournal {
    for warning in directory.warnings { logger.warning("\(warning)") }
    var store = CheckpointStore(
      directory: directory, keep: configuration.checkpoint.keep, metric: configuration.checkpoint.metric.rawValue,
      system: supervision.probe.system)
    if resume == .never { try store.removeAll() }
    let journal = try RunJournal(directory: directory, store: store, plan: plan, console: console, logger: logger)
    try journal.resume(at: resumed?.state.progress ?? TrainingProgress(), from: resumed)
    return journal
  }
}
