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
        fraction: icp.fraction, seed: setting.configuration.training.seed, input: network.network.image,
        capacity: builder.capacity) : nil
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

  /// Forward passes' work.
  static func passes(_ setting: MethodSetting) -> Double {
    2 * Double(setting.configuration.icp.steps) * setting.configuration.icp.fraction
  }

  static func memory(_ setting: MethodSetting, _ memory: MethodMemory, taps: [Int] = []) -> MemoryUse {
    let state = Refiner.stateBytes(setting.configuration.icp.rule, network: memory.network)
    let own = memory.frozenNetwork(taps: taps) + memory.images(0) + MemoryUse(own: state)
    return setting.configuration.icp.fraction < 1 ? own + memory.images(0) + memory.images(0) : own
  }

  /// x_T of `inputs`, the shard's as the student sees them or others; valid until the next refinement.
  func refine(_ inputs: StepInputs, of shard: ShardStep) -> UnsafeMutablePointer<Float> {
    shard.phases.enter(.refinement)
    network.fold(parameters: shard.parameters, statistics: shard.statistics + statisticsStart)
    guard let part else { return move(inputs, shard.samples, shard) }
    let chosen = part.choose(of: inputs, shard)
    guard !chosen.samples.isEmpty else { return part.putBack(inputs.images, into: inputs, shard) }
    return part.putBack(move(chosen.inputs, chosen.samples, shard), into: inputs, shard)
  }

  private func move(
    _ inputs: StepInputs, _ samples: UnsafeBufferPointer<Int>, _ shard: ShardStep
  ) -> UnsafeMutablePointer<Float> {
    let refined = refiner.refine(
      inputs.images, labels: inputs.labels, mixture: inputs.mixture, samples: samples.count,
      lossScale: reduction == .sum ? 1 : 1 / Double(shard.context.batchCount), reach: shard.context.reach,
      addresses: .init(seed: seed, epoch: shard.context.epoch, samples: samples),
      measuringEnd: shard.context.isLogged)
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
