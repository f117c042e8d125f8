import Configuration
import Datasets
import Execution
import Graph
import Kernels
import Models
import Refinement
import Runtime

/// Step 3 of METHOD: images move down the loss of their label, mixed ones of both their labels.
final class InputRefinement: ScalarSource {
  let network: FrozenNetwork
  /// Of the running statistics, where the network's begin.
  private let statisticsStart: Int
  private let refiner: Refiner
  private let reduction: LossReduction
  private let seed: Int
  /// Of a shard, the samples that are refined, where not all are.
  private let part: RefinedPart?
  /// Whether the others are left out, instead of standing beside them as they are.
  private let isAlone: Bool
  /// What gives the first gradient from the student's activations, with `icp.reuse_student`.
  private let inputGradient: InputGradient?
  private let steps: Int
  /// Whether the folded weights are asked for, whatever the steps need.
  private let isTapped: Bool
  /// loss at x_0, loss at x_T, mean |x_T - x|
  private let scalars: Range<Int>

  /// `taps`: nodes whose outputs are asked for besides. `tail`: the end of the network whose input moves, instead of
  /// the image.
  init(_ setting: MethodSetting, _ builder: MethodBuilder, taps: [Int] = [], tail: Network? = nil) {
    let icp = setting.configuration.icp
    let layout = tail.map { ParameterLayout($0) } ?? builder.model.layout
    statisticsStart = builder.model.layout.statisticCount - layout.statisticCount
    network = FrozenNetwork(
      tail ?? builder.model.network, layout: layout, backend: setting.configuration.kernels.convolution,
      precision: setting.configuration.refinementElement, differentiable: true, taps: taps, scratch: builder.scratch)
    part =
      icp.fraction < 1
      ? RefinedPart(
        fraction: icp.fraction, selection: icp.select, seed: setting.configuration.training.seed,
        input: network.network.image, capacity: builder.capacity) : nil
    isAlone = setting.targetsPartAlone
    steps = icp.steps
    isTapped = !taps.isEmpty
    inputGradient = setting.reusesStudent ? builder.student.inputGradient(pieceSize: network.pieceSize) : nil
    inputGradient?.prepare(Self.gradientPieces(setting, builder.sizes, network.network))
    for samples in builder.sizes {
      // What `running` taps is of all samples.
      if part == nil || !taps.isEmpty { network.prepare(samples: samples) }
      if let count = part?.count(of: samples), count > 0 { network.prepare(samples: count) }
    }
    refiner = Refiner(icp, network: network, normalization: setting.normalization, capacity: builder.capacity)
    reduction = icp.reduction
    seed = setting.configuration.training.seed
    scalars = builder.scalars("loss_at_x0", "loss_at_xT", "perturbation")
  }

  /// Forward passes' work: two a step, and of a first one that begins at the student's activations the way back alone.
  static func passes(_ setting: MethodSetting) -> Double {
    let steps = setting.configuration.icp.steps
    let own = 2 * Double(steps) - (setting.reusesStudent && steps > 0 ? 1 : 0)
    return own * setting.configuration.icp.fraction
  }

  /// Sizes of the pieces in which the first gradient is found: of a part, sample by sample.
  private static func gradientPieces(_ setting: MethodSetting, _ sizes: Set<Int>, _ network: Network) -> Set<Int> {
    guard setting.configuration.icp.fraction == 1 else { return [1] }
    return Set(sizes.flatMap { pieceSizes(of: $0, atMost: PieceSize.frozen(network)) })
  }

  static func memory(_ setting: MethodSetting, _ memory: MethodMemory, taps: [Int] = []) -> MemoryUse {
    let state = Refiner.stateBytes(setting.configuration.icp.rule, network: memory.network)
    var own = memory.frozenNetwork(taps: taps) + memory.images(0) + MemoryUse(own: state)
    if setting.reusesStudent {
      own = own + memory.inputGradient { gradientPieces(setting, $0, memory.network) }
    }
    return setting.configuration.icp.fraction < 1 ? own + memory.images(0) + memory.images(0) : own
  }

  /// x_T of `inputs`, the shard's as the student sees them or others; valid until the next refinement. `student`: its
  /// pass on the shard's inputs, where there was one.
  func refine(_ inputs: StepInputs, of shard: ShardStep, beside student: TrainingPass? = nil) -> RefinedImages {
    shard.phases.enter(.refinement)
    if isTapped || shard.context.isLogged || steps > (inputGradient == nil ? 0 : 1) {
      network.fold(parameters: shard.parameters, statistics: shard.statistics + statisticsStart)
    }
    guard let part else {
      let images = move(inputs, shard.samples, shard, student, places: nil)
      return RefinedImages(images: images, samples: shard.samples, places: nil)
    }
    let chosen = part.choose(of: inputs, shard, student)
    let isNone = chosen.samples.isEmpty
    let images =
      isNone
      ? UnsafeMutablePointer(mutating: chosen.inputs.images)
      : move(chosen.inputs, chosen.samples, shard, student, places: chosen.places)
    guard !isAlone else { return RefinedImages(images: images, samples: chosen.samples, places: chosen.places) }
    return RefinedImages(images: part.putBack(images, into: inputs, shard), samples: shard.samples, places: nil)
  }

  private func move(
    _ inputs: StepInputs, _ samples: UnsafeBufferPointer<Int>, _ shard: ShardStep, _ student: TrainingPass?,
    places: UnsafePointer<Int>?
  ) -> UnsafeMutablePointer<Float> {
    var start: Refiner.Start?
    if let inputGradient, let student {
      let source = InputGradient.Source(
        student, images: shard.inputs.images, parameters: shard.parameters, randomness: shard.randomness,
        places: places)
      start = Refiner.Start(gradient: inputGradient, source: source)
    }
    let refined = refiner.refine(
      inputs.images, labels: inputs.labels, mixture: inputs.mixture, samples: samples.count,
      lossScale: reduction == .sum ? 1 : 1 / Double(shard.context.batchCount), reach: shard.context.reach,
      addresses: .init(seed: seed, epoch: shard.context.epoch, samples: samples),
      measuringEnd: shard.context.isLogged, from: start)
    let count = Double(samples.count)
    shard.scalars.means[scalars.lowerBound] = refined.lossAtStart / count
    shard.scalars.means[scalars.lowerBound + 1] = (refined.lossAtEnd ?? 0) / count
    shard.scalars.means[scalars.lowerBound + 2] = refined.movement / Double(samples.count * network.input.sampleCount)
    return refined.images
  }

  func report(_ batch: StepScalars, _ context: StepContext) -> NamedValues {
    NamedValues(scalars.map { (batch.names[$0], .number(batch.means[$0])) })
  }
}
