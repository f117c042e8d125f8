import Checkpointing
import Configuration
import Doctor
import Evaluation
import Formats
import Foundation
import Kernels
import Loading
import MPI
import Models
import Planning
import Reduction
import Reporting
import Runtime
import Supervision
import Training

/// `icp find-rate`: a run's own steps while the learning rate rises by the same factor at each, until the loss has gone
/// up again (the learning-rate range test of Smith, arXiv 1506.01186). Nothing is written.
package struct RateTest {
  package struct Options: Sendable {
    package var first: Double
    package var last: Double
    package var steps: Int

    package init(first: Double, last: Double, steps: Int) {
      self.first = first
      self.last = last
      self.steps = steps
    }

    /// Of step `index`, from 0.
    func rate(_ index: Int) -> Double { first * pow(last / first, Double(index) / Double(steps - 1)) }
  }

  private let configuration: RunConfiguration
  private let options: Options
  private let communicator: Communicator

  package init(_ configuration: RunConfiguration, _ options: Options, communicator: Communicator) {
    self.configuration = configuration
    self.options = options
    self.communicator = communicator
    KernelLibrary.setThreads(configuration.training.threads)
  }

  /// The same on every rank.
  package func run() throws -> RateTestReport {
    let trainer = try makeTrainer()
    let plan = trainer.plan
    let loader = BatchLoader(
      plan.batches, shards: ShardPlan.shards(ofRank: communicator.rank, of: communicator.size, shards: plan.shards))
    defer { loader.stop() }
    var report = RateTestReport(configuration, last: options.last)
    for index in 0..<options.steps {
      let (batch, rate) = (try loader.next(), options.rate(index))
      // The batches go through several epochs, and what is kept of the images counts for the next one on every rank.
      if batch.position == 0, index > 0 { try trainer.exchangeImageRows() }
      trainer.clock.begin(step: index + 1)
      // As the run's first steps are, whatever comes later.
      let context = plan.context(epoch: 0, position: batch.position, step: 0, batchCount: batch.count)
      let step = try trainer.step(batch, context, learningRate: rate)
      guard step.isTaken else {
        report.isStoppedByNumbers = true
        break
      }
      report.add(rate: rate, loss: step.scalars.taskLoss)
      if report.hasDiverged { break }
    }
    return report
  }

  private func makeTrainer() throws -> Trainer {
    let indexes = try communicator.pictureIndexes(configuration, PhaseClock())
    let (plan, model) = try communicator.collectively {
      let weights = try configuration.model.startingWeights.map {
        try WeightsFile(path: $0, kind: configuration.model.weightsKind)
      }
      let settled = weights?.preprocessing.starting(configuration) ?? configuration
      let plan = try RunPlan(settled, ranks: communicator.size, indexes: indexes)
      try RankMemory(plan, ranks: communicator.size).check()
      let model = ModelState(plan.network, seed: configuration.training.seed)
      if let weights { try model.load(weights.tensors, from: weights.path, head: configuration.model.head) }
      return (plan, model)
    }
    try communicator.agree(on: "the program", Platform.description)
    try communicator.agree(on: "the configuration", plan.configuration.agreedText)
    try communicator.agree(on: "the data", plan.measuredData)
    return try communicator.collectively { Trainer(plan: plan, model: model, communicator: communicator) }
  }
}
