import Datasets
import Kernels
import Networks
import Refinement

/// The paper's step for one shard (METHOD, "One cyclic step"): everything but the reduction and the optimiser.
package final class CyclicStep {
  /// How a step of this epoch runs.
  package struct Mode: Sendable {
    package var epoch: Int
    /// a(e), the weight of the task loss.
    package var alpha: Double
    /// Refinement, target pass and distillation take part.
    package var isCyclic: Bool
    /// A logged step: take the loss at x_T and the other normalisation's distillation loss too.
    package var isLogged: Bool
    /// Samples of the global batch.
    package var batchCount: Int

    package init(epoch: Int, alpha: Double, isCyclic: Bool, isLogged: Bool, batchCount: Int) {
      (self.epoch, self.alpha, self.isCyclic) = (epoch, alpha, isCyclic)
      (self.isLogged, self.batchCount) = (isLogged, batchCount)
    }
  }

  private let model: ModelState
  private let networks: StepNetworks
  private let options: StepOptions
  private let taskLoss: CrossEntropy
  private let distillation: DistillationLoss
  /// The shard's own copy of the running statistics: the student pass moves it, the refinement reads it, the target pass
  /// moves it again.
  package let statistics: Tensor
  package let gradients: Tensor

  /// `sizes` of the shards that will come. Every plan is made here.
  package init(model: ModelState, options: StepOptions, sizes: Set<Int>) {
    self.model = model
    self.options = options
    networks = StepNetworks(model: model, options: options, sizes: sizes)
    taskLoss = CrossEntropy(classes: model.architecture.classes, smoothing: options.labelSmoothing)
    distillation = DistillationLoss(weights: options.layerWeights, normalization: options.normalization)
    statistics = Tensor(count: model.layout.statisticCount)
    gradients = Tensor(count: model.layout.parameterCount)
  }

  /// Takes the model's weights as they are now, for the shards of one step.
  package func begin() { networks.convolutions.load(model.parameters.pointer) }

  /// Runs the step on a shard with at least one sample; leaves its mean gradient in `gradients`, its running statistics in
  /// `statistics`, its sums and means in `sums`, and marks its phases in `pulse`. `finished` hears, layer by layer, how many
  /// of the gradients are final.
  package func run(
    _ shard: Shard, mode: Mode, sums: inout StepSums, pulse: Pulse, finished: (_ gradients: Int) -> Void = { _ in }
  ) {
    pulse.enter(.student)
    let samples = shard.count
    sums.reset()
    let parameters = UnsafePointer(model.parameters.pointer)
    statistics.pointer.update(from: model.statistics.pointer, count: statistics.count)

    let student = networks.student.forward(
      shard.images.pointer, samples: samples, parameters: parameters, statistics: statistics.pointer)
    sums.taskLoss =
      taskLoss(
        logits: student.logits, labels: shard.labels.baseAddress!, samples: samples,
        scale: mode.alpha / Double(samples),
        gradient: student.logitsSeed, correct: &sums.correct) / Double(samples)

    if mode.isCyclic, let refinement = networks.refinement {
      pulse.enter(.refinement)
      refinement.network.fold(parameters: parameters, statistics: statistics.pointer)
      let refined = refinement.refiner.refine(
        shard.images.pointer, labels: shard.labels.baseAddress!, samples: samples,
        lossScale: options.reduction == .sum ? 1 : 1 / Double(mode.batchCount),
        addresses: .init(seed: options.seed, epoch: mode.epoch, samples: shard.samples),
        measuringEnd: mode.isLogged)
      sums.record(refined, samples: samples, elements: samples * model.architecture.input.sampleCount)

      pulse.enter(.target)
      let target = refinement.target.features(
        of: refined.images, samples: samples, parameters: parameters, statistics: statistics.pointer)
      for tap in 0..<student.featureCount {
        let loss = distillation(
          tap: tap, student: student.feature(tap), target: target(tap), shape: student.featureShape(tap),
          scale: 1 - mode.alpha, gradient: student.featureSeed(tap))
        sums.record(layerLoss: loss, tap: tap)
        guard mode.isLogged else { continue }
        let other = DistillationLoss.value(
          student: student.feature(tap), target: target(tap), shape: student.featureShape(tap),
          normalization: options.normalization == .none ? .l2 : .none)
        sums.record(otherLayerLoss: other, tap: tap)
      }
    }
    pulse.enter(.backward)
    student.backward(
      shard.images.pointer, parameters: parameters, gradients: gradients.pointer, featureSeeds: mode.isCyclic,
      finished: finished)
  }
}
