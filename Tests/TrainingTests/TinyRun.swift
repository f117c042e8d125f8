import Checkpointing
import Configuration
import Files
import Kernels
import Loading
import MPI
import Models
import Planning
import Runtime
import Supervision
import Training

/// Runs in this process, by one rank without MPI: 30 drawn images in batches of 8, the last one of 6, in two shards;
/// two epochs of four steps. Some milliseconds.
enum TinyRun {
  private static let configuration = """
    data: {format: glyphs, limit: 30, test_limit: 10, size: 8}
    model: {kind: mlp, hidden: [6]}
    training: {epochs: 2, batch_size: 8, shards: 2}
    icp: {steps: 2}
    distillation: {warmup: 0}
    logging: {every_steps: 1}
    """

  /// `settings` as `--set` takes them.
  static func plan(_ settings: [String] = []) throws -> RunPlan {
    try RunPlan(
      RunConfiguration(yaml: configuration, name: "tiny.yaml", overrides: settings), ranks: 1)
  }

  static func trainer(
    _ plan: RunPlan, probe: any RunProbe = NoProbe(), observers: [any RunObserver] = []
  ) -> Trainer {
    Trainer(
      plan: plan, model: ModelState(plan.network, seed: plan.configuration.training.seed), communicator: .alone,
      probe: probe, observers: observers)
  }
}

extension Trainer {
  /// The bits of weights, running statistics, their averages and the optimiser's state.
  var bits: [[UInt32]] {
    [model, average?.model].compactMap(\.self).flatMap {
      [$0.parameters.values.map(\.bitPattern), $0.statistics.values.map(\.bitPattern)]
    }
      + optimizer.slots.map { $0.values.map(\.bitPattern) } + [[UInt32(optimizer.steps)]]
  }
}

/// Writes down what it hears.
final class Notes: RunObserver {
  struct Step {
    let isTaken: Bool
    let refused: Int
    let firstRefused: String?
    let learningRate, loss: Double
    let correct, samples: Int
    let signals: Int64
    /// After it.
    let progress: TrainingProgress
    let bits: [[UInt32]]
  }

  private(set) var heard: [String] = []
  private(set) var steps: [Step] = []
  private let tells: Int64

  init(tells: Int64 = 0) { self.tells = tells }

  func signal(_ batch: Batch, _ clock: PhaseClock) -> Int64 { tells }

  func stepEnded(_ step: FinishedStep, signals: Int64, of trainer: Trainer) {
    heard.append("step \(trainer.progress.step)")
    steps.append(
      Step(
        isTaken: step.isTaken, refused: step.refused, firstRefused: step.firstRefused,
        learningRate: step.learningRate, loss: step.scalars.taskLoss, correct: step.scalars.correct,
        samples: step.context.batchCount, signals: signals, progress: trainer.progress, bits: trainer.bits))
  }

  func epochEnded(_ epoch: FinishedEpoch, of trainer: Trainer) {
    heard.append("\(epoch.isWhole ? "" : "part of ")epoch \(epoch.number)\(epoch.isLast ? ", the last" : "")")
  }
}

/// Makes a gradient of the first shard of some steps no number, each time that such a step comes.
final class Breaker: RunProbe {
  private var steps: [Int]

  init(_ steps: [Int]) { self.steps = steps }

  func entered(_ phase: Phase, step: Int) {}
  func beforeReduction(_ gradients: Tensor, step: Int) {
    guard let index = steps.firstIndex(of: step) else { return }
    steps.remove(at: index)
    gradients.values[0] = .nan
  }
  func afterReduction(_ gradients: Tensor, step: Int) {}
  func afterOptimizer(_ parameters: Tensor, step: Int) {}
  var system: System { System() }
}
