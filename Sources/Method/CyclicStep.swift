import Datasets
import Kernels
import Networks
import Refinement
import Runtime

/// The paper's step for one shard (METHOD, "One cyclic step"), or a rival's: everything but the reduction and the optimiser.
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
    /// The batch's number in its epoch.
    package var position: Int

    package init(
      epoch: Int, alpha: Double, isCyclic: Bool, isLogged: Bool, batchCount: Int, position: Int = 0
    ) {
      (self.epoch, self.alpha, self.isCyclic) = (epoch, alpha, isCyclic)
      (self.isLogged, self.batchCount, self.position) = (isLogged, batchCount, position)
    }
  }

  private let model: ModelState
  private let networks: StepNetworks
  private let options: StepOptions
  private let taskLoss: CrossEntropy
  private let distillation: DistillationLoss
  private let mixup: Mixup?
  private let ascent: SharpnessAscent?
  private let branchLoss: BranchLoss?
  private let strayGradients: Tensor
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
    mixup = options.mixup.map {
      Mixup(alpha: $0, seed: options.seed, input: model.architecture.input, capacity: sizes.max() ?? 0)
    }
    ascent = options.sharpnessRadius.map { SharpnessAscent(radius: $0, count: model.layout.parameterCount) }
    branchLoss = options.branches.map { [taskLoss] in BranchLoss($0, taskLoss: taskLoss) }
    strayGradients = Tensor(count: options.addsStrayGradient ? model.layout.parameterCount : 0)
    statistics = Tensor(count: model.layout.statisticCount)
    gradients = Tensor(count: model.layout.parameterCount)
  }

  /// Takes the model's weights as they are now, for the shards of one step.
  package func begin() { networks.convolutions.load(model.parameters.pointer) }

  /// Runs the step on a shard with at least one sample; leaves its mean gradient in `gradients`, its running statistics in
  /// `statistics`, its sums and means in `sums`, and marks its phases in `pulse`. `finished` hears, layer by layer, how many
  /// of the gradients are final.
  package func run(
    _ shard: Shard, mode: Mode, sums: inout StepSums, pulse: any PhaseMarking,
    finished: (_ gradients: Int) -> Void = { _ in }
  ) {
    pulse.enter(.student)
    sums.reset()
    var parameters = UnsafePointer(model.parameters.pointer)
    statistics.pointer.update(from: model.statistics.pointer, count: statistics.count)

    let inputs = inputs(of: shard, mode: mode, sums: &sums, pulse: pulse)
    let student = networks.student.forward(
      inputs.images, samples: shard.count, parameters: parameters, statistics: statistics.pointer)
    (sums.taskLoss, sums.branchLoss, sums.correct) = seed(student, inputs, scale: mode.alpha)
    let strays = mode.isCyclic && networks.stray != nil
    if strays { takeStrayGradients(inputs, samples: shard.count) }
    if mode.isCyclic, let refinement = networks.refinement, let target = refinement.target {
      let refined = refine(inputs, of: shard, by: refinement, mode: mode, sums: &sums, pulse: pulse)
      pulse.enter(.target)
      distil(student, from: refined, target, mode: mode, sums: &sums)
    }
    pulse.enter(.backward)
    let seedsFeatures = mode.isCyclic || branchLoss != nil
    if let ascent {
      student.backward(
        inputs.images, parameters: parameters, gradients: gradients.pointer, featureSeeds: seedsFeatures)
      parameters = ascent.weights(from: parameters, along: gradients)
      networks.convolutions.load(parameters)
      pulse.enter(.student)
      // The running statistics have moved already, and what is reported is of the weights that stay.
      _ = networks.student.forward(inputs.images, samples: shard.count, parameters: parameters, statistics: nil)
      _ = seed(student, inputs, scale: mode.alpha)
      pulse.enter(.backward)
    }
    student.backward(
      inputs.images, parameters: parameters, gradients: gradients.pointer, featureSeeds: seedsFeatures,
      finished: { if !strays { finished($0) } })
    if ascent != nil { networks.convolutions.load(model.parameters.pointer) }
    if strays {
      Elementwise.combine(
        1, gradients.pointer, 1, strayGradients.pointer, count: gradients.count, into: gradients.pointer)
    }
  }

  /// What the student sees: the shard's images, or mixed ones, or refined ones where it trains on them itself.
  private func inputs(of shard: Shard, mode: Mode, sums: inout StepSums, pulse: any PhaseMarking) -> StepInputs {
    var inputs = mixup?.mix(shard, epoch: mode.epoch, position: mode.position) ?? StepInputs(shard)
    if mode.isCyclic, options.objective == .task, let refinement = networks.refinement {
      // With the running statistics from before the step: no student pass has moved them.
      inputs.images = UnsafePointer(
        refine(inputs, of: shard, by: refinement, mode: mode, sums: &sums, pulse: pulse))
      pulse.enter(.student)
    }
    return inputs
  }

  /// The gradients of the task loss, times `scale`, and of the branches' loss at the student's logits and features. Returns
  /// both losses, and how many samples' own label has the largest logit.
  private func seed(
    _ student: TrainingPass, _ inputs: StepInputs, scale: Double
  ) -> (task: Double, branches: Double, correct: Int) {
    let samples = Double(student.samples)
    var correct = 0
    let sum = taskLoss(
      logits: student.logits, labels: inputs.labels, mixture: inputs.mixture, samples: student.samples,
      scale: scale / samples, gradient: student.logitsSeed, correct: &correct)
    return (sum / samples, branchLoss?(student, inputs) ?? 0, correct)
  }

  /// The authors' code never clears what the refinement's first backward pass leaves at the weights: the gradient of the mean
  /// cross entropy at x_0 in evaluation mode.
  private func takeStrayGradients(_ inputs: StepInputs, samples: Int) {
    let parameters = UnsafePointer(model.parameters.pointer)
    let pass = networks.stray!.forward(
      inputs.images, samples: samples, parameters: parameters, given: statistics.pointer)
    CrossEntropy(classes: taskLoss.classes)(
      logits: pass.logits, labels: inputs.labels, mixture: inputs.mixture, samples: samples,
      scale: 1 / Double(samples), gradient: pass.logitsSeed)
    pass.backward(inputs.images, parameters: parameters, gradients: strayGradients.pointer, featureSeeds: false)
  }

  /// Step 3, on what the student sees: mixed images move down the loss of both their labels. x_T is valid until the next
  /// refinement.
  private func refine(
    _ inputs: StepInputs, of shard: Shard, by refinement: StepNetworks.RefinementPart, mode: Mode,
    sums: inout StepSums, pulse: any PhaseMarking
  ) -> UnsafeMutablePointer<Float> {
    pulse.enter(.refinement)
    refinement.network.fold(parameters: model.parameters.pointer, statistics: statistics.pointer)
    let refined = refinement.refiner.refine(
      inputs.images, labels: inputs.labels, mixture: inputs.mixture, samples: shard.count,
      lossScale: options.reduction == .sum ? 1 : 1 / Double(mode.batchCount),
      addresses: .init(seed: options.seed, epoch: mode.epoch, samples: shard.samples),
      measuringEnd: mode.isLogged)
    sums.record(refined, samples: shard.count, elements: shard.count * model.architecture.input.sampleCount)
    return refined.images
  }

  /// Steps 4 and 5: the target pass, and the distillation loss's gradient at the student's features.
  private func distil(
    _ student: TrainingPass, from refined: UnsafePointer<Float>, _ pass: TargetFeatures, mode: Mode,
    sums: inout StepSums
  ) {
    let target = pass.features(
      of: refined, samples: student.samples, parameters: model.parameters.pointer, statistics: statistics.pointer)
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
}

/// What a student pass trains on.
struct StepInputs {
  /// (samples, height, width, channels)
  var images: UnsafePointer<Float>
  var labels: UnsafePointer<Int32>
  /// Where images are mixed, their other labels.
  var mixture: CrossEntropy.Mixture?
}

extension StepInputs {
  init(_ shard: Shard) {
    self.init(images: UnsafePointer(shard.images.pointer), labels: shard.labels.baseAddress!)
  }
}
