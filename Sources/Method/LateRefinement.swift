import Configuration
import Execution
import Graph
import Kernels
import Refinement
import Runtime

/// Instead of the image the output h of a layer is refined, through the later layers alone (`icp.layer`), and the
/// student's later features learn those of h_T.
struct LateRefinement: MethodPart {
  private let setting: MethodSetting
  private let layer: Int
  private let tail: Network
  private let compared: [Int]
  private let weights: [Double]

  init?(_ setting: MethodSetting) throws {
    let (icp, distillation) = (setting.configuration.icp, setting.configuration.distillation)
    guard icp.rule != .none, icp.objective == .distillation, let name = icp.layer else { return nil }
    self.setting = setting
    let layer = try setting.network.tappedNodes([name], key: "icp.layer")[0]
    self.layer = layer
    tail = try setting.network.tail(after: layer, named: name, key: "icp.layer")
    let names = distillation.taps ?? ["pooled"]
    compared = try setting.network.tappedNodes(names)
    if let early = zip(names, compared).first(where: { $0.1 <= layer }) {
      throw GraphError("distillation.taps: '\(early.0)' does not come after '\(name)', the icp.layer")
    }
    weights = try distillation.layerWeights.values(count: compared.count)
  }

  var taps: [Int] { [layer] + compared }

  /// Of a forward pass, the work of the later layers.
  private var share: Double { Double(tail.operations) / Double(setting.network.operations) }

  func passes(in stage: Stage) -> Double { stage == .cyclic ? share * (InputRefinement.passes(setting) + 1) : 0 }

  private var tailTaps: [Int] { compared.map { $0 - layer } }

  func memory(_ memory: MethodMemory) -> MemoryUse {
    let target = setting.configuration.distillation.target
    let own = memory.of(tail, taps: tailTaps)
    let refinement = InputRefinement.memory(setting, own, taps: target == .running ? tailTaps : [])
    return refinement + TargetFeatures.memory(target, taps: tailTaps, own)
      + (target == .running ? MemoryUse() : own.sharedKernels)
  }

  func join(_ builder: MethodBuilder, firstTap: Int) {
    let source = LateFeatures(setting, tail: tail, taps: tailTaps, layer: firstTap, builder)
    builder.add(DistillationTerm(setting, source, weights: weights, firstTap: firstTap + 1, builder), in: .cyclic)
  }
}

/// Of h_T.
private final class LateFeatures: FeatureSource {
  private let refinement: InputRefinement
  private let kernels: TrainingKernels?
  private let target: TargetFeatures
  /// The student's tap.
  private let layer: Int

  init(_ setting: MethodSetting, tail: Network, taps: [Int], layer: Int, _ builder: MethodBuilder) {
    let kind = setting.configuration.distillation.target
    refinement = InputRefinement(setting, builder, taps: kind == .running ? taps : [], tail: tail)
    kernels =
      kind == .running
      ? nil
      : TrainingKernels(
        tail, layout: ParameterLayout(tail), taps: taps, backend: setting.configuration.kernels.convolution,
        precision: setting.configuration.refinementElement, scratch: builder.scratch)
    target = TargetFeatures(kind, taps: taps, frozen: refinement.network, kernels: kernels, builder: builder)
    self.layer = layer
  }

  func features(beside student: TrainingPass, of shard: ShardStep) -> Targets {
    // The layer itself is compared with nothing.
    student.featureGradient(layer).update(repeating: 0, count: student.featureShape(layer).count)
    var inputs = shard.inputs
    inputs.images = UnsafePointer(student.feature(layer))
    let refined = refinement.refine(inputs, of: shard, beside: student)
    shard.phases.enter(.target)
    kernels?.load(shard.parameters)
    return Targets(features: target.features(of: refined, shard, beside: student), refined: refined)
  }

  func report(_ batch: StepScalars, _ context: StepContext) -> NamedValues { refinement.report(batch, context) }
}
