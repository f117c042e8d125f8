import Kernels
import Networks
import Refinement

/// What a cyclic step needs to know of the configuration, in the step's own terms.
package struct StepOptions: Sendable {
  package var backend: ConvolutionBackend
  /// Nodes of the architecture whose outputs are compared.
  package var taps: [Int]
  package var layerWeights: [Double]
  package var normalization: FeatureNormalization
  package var target: TargetPass
  package var labelSmoothing: Double
  /// Nil for plain training.
  package var refinement: RefinementOptions?
  package var reduction: LossReduction
  package var seed: Int
  /// mixup's alpha; nil without.
  package var mixup: Double?
  /// SAM's rho; nil without.
  package var sharpnessRadius: Double?
  /// Nil without branches.
  package var branches: BranchOptions?
  /// What the refined images are for.
  package var objective = RefinementObjective.distillation
  /// Cyclic steps add the weight gradient of the evaluation-mode loss at x_0, as the authors' code does.
  package var addsStrayGradient = false

  package init(
    backend: ConvolutionBackend, taps: [Int], layerWeights: [Double], normalization: FeatureNormalization,
    target: TargetPass, labelSmoothing: Double, refinement: RefinementOptions? = nil, reduction: LossReduction,
    seed: Int, mixup: Double? = nil, sharpnessRadius: Double? = nil, branches: BranchOptions? = nil,
    objective: RefinementObjective = RefinementObjective.distillation, addsStrayGradient: Bool = false
  ) {
    self.backend = backend
    self.taps = taps
    self.layerWeights = layerWeights
    self.normalization = normalization
    self.target = target
    self.labelSmoothing = labelSmoothing
    self.refinement = refinement
    self.reduction = reduction
    self.seed = seed
    self.mixup = mixup
    self.sharpnessRadius = sharpnessRadius
    self.branches = branches
    self.objective = objective
    self.addsStrayGradient = addsStrayGradient
  }

  /// Work of a step in forward passes (METHOD, "Cost"): of a plain one, and of one that refines, where there are any.
  package var plainPasses: Int { sharpnessRadius == nil ? 3 : 6 }
  package var cyclicPasses: Int? {
    refinement.map { 3 + 2 * $0.steps + (objective == .distillation ? 1 : 0) + (addsStrayGradient ? 3 : 0) }
  }
}

/// The inner loop's part.
package struct RefinementOptions: Sendable {
  package var rule: Rule
  package var bounds: InputBounds
  package var steps: Int

  package init(rule: Rule, bounds: InputBounds, steps: Int) {
    self.rule = rule
    self.bounds = bounds
    self.steps = steps
  }
}

/// The three views of one model that a cyclic step runs, with their memory.
final class StepNetworks {
  struct RefinementPart {
    let network: FrozenNetwork
    let refiner: Refiner
    /// Nil where the student trains on the refined images itself.
    let target: TargetFeatures?
  }

  /// Of student and target pass.
  let convolutions: TrainingConvolutions
  let student: TrainingNetwork
  let refinement: RefinementPart?
  /// In evaluation mode, for the authors' stray gradient.
  let stray: TrainingNetwork?

  /// `sizes`: of the shards that will come; plans for others are made when they do.
  init(model: ModelState, options: StepOptions, sizes: Set<Int>) {
    let capacity = sizes.max() ?? 0
    let scratch = Scratch()
    convolutions = TrainingConvolutions(
      model.architecture, layout: model.layout, backend: options.backend, scratch: scratch)
    student = TrainingNetwork(
      convolutions, taps: options.taps + model.architecture.branchTaps, capacity: capacity, differentiable: true)
    stray =
      options.addsStrayGradient
      ? TrainingNetwork(convolutions, taps: [], capacity: capacity, differentiable: true) : nil
    refinement = options.refinement.map { [convolutions] refinement in
      let network = FrozenNetwork(
        model.architecture, layout: model.layout, backend: options.backend, differentiable: true, scratch: scratch)
      return RefinementPart(
        network: network,
        refiner: Refiner(
          network: network, rule: refinement.rule, bounds: refinement.bounds, steps: refinement.steps,
          capacity: capacity),
        target: options.objective == .task
          ? nil
          : TargetFeatures(options: options, frozen: network, convolutions: convolutions, capacity: capacity))
    }
    for samples in sizes.sorted() {
      student.prepare(samples: samples)
      refinement?.network.prepare(samples: samples)
      stray?.prepare(samples: samples)
      refinement?.target?.prepare(samples: samples)
    }
  }
}
