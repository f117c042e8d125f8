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
  private let refiner: Refiner
  private let reduction: LossReduction
  private let seed: Int
  /// loss at x_0, loss at x_T, mean |x_T - x|
  private let scalars: Range<Int>

  /// `taps`: nodes whose outputs are asked for besides.
  init(_ setting: MethodSetting, _ builder: MethodBuilder, taps: [Int] = []) {
    let icp = setting.configuration.icp
    network = FrozenNetwork(
      builder.model.network, layout: builder.model.layout, backend: setting.configuration.kernels.convolution,
      differentiable: true, taps: taps, scratch: builder.scratch)
    for samples in builder.sizes { network.prepare(samples: samples) }
    refiner = Refiner(icp, network: network, normalization: setting.normalization, capacity: builder.capacity)
    reduction = icp.reduction
    seed = setting.configuration.training.seed
    scalars = builder.scalars("loss_at_x0", "loss_at_xT", "perturbation")
  }

  static func memory(_ setting: MethodSetting, _ memory: MethodMemory, taps: [Int] = []) -> MemoryUse {
    let state = Refiner.stateBytes(setting.configuration.icp.rule, network: memory.network)
    return memory.frozenNetwork(taps: taps) + memory.images(0) + MemoryUse(own: state)
  }

  /// x_T of `inputs`, the shard's as the student sees them or others; valid until the next refinement.
  func refine(_ inputs: StepInputs, of shard: ShardStep) -> UnsafeMutablePointer<Float> {
    shard.phases.enter(.refinement)
    network.fold(parameters: shard.parameters, statistics: shard.statistics)
    let refined = refiner.refine(
      inputs.images, labels: inputs.labels, mixture: inputs.mixture, samples: shard.count,
      lossScale: reduction == .sum ? 1 : 1 / Double(shard.context.batchCount),
      addresses: .init(seed: seed, epoch: shard.context.epoch, samples: shard.samples),
      measuringEnd: shard.context.isLogged)
    let samples = Double(shard.count)
    shard.scalars.means[scalars.lowerBound] = refined.lossAtStart / samples
    shard.scalars.means[scalars.lowerBound + 1] = (refined.lossAtEnd ?? 0) / samples
    shard.scalars.means[scalars.lowerBound + 2] = refined.movement / Double(shard.count * network.input.sampleCount)
    return refined.images
  }

  func report(_ batch: StepScalars, _ context: StepContext) -> NamedValues {
    NamedValues(scalars.map { (batch.names[$0], .number(batch.means[$0])) })
  }
}
