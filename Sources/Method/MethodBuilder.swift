import Execution
import Graph
import Kernels
import Models

/// What a `TrainingMethod` is put together with: parts join one after the other, in the order in which they are
/// applied.
package final class MethodBuilder {
  package let model: ModelState
  package let convolutions: TrainingKernels
  /// Kernels of the whole network, by what lies between layers: the student's, and the target pass's where that is
  /// another.
  private(set) var kernels: [ElementType: TrainingKernels] = [:]
  private let taps: [Int]
  private let setting: MethodSetting
  package let scratch: Scratch
  /// Of labels that are learned: smoothed and weighted as the configuration says.
  package let taskCrossEntropy: CrossEntropy
  /// Samples of the shards that will come.
  package let sizes: Set<Int>
  package var capacity: Int { sizes.max() ?? 0 }
  /// How the gradient is taken; a part may put another rule in its place.
  package var rule: any GradientRule = PlainGradient()
  private var transforms: [[any InputTransform]] = Stage.allCases.map { _ in [] }
  private var terms: [[any LossTerm]] = Stage.allCases.map { _ in [] }
  private var names: [String] = []

  init(_ plan: MethodPlan, model: ModelState, sizes: Set<Int>) {
    self.model = model
    self.sizes = sizes
    scratch = Scratch()
    setting = plan.setting
    taps = plan.taps
    let precision = plan.setting.configuration.trainingElement
    convolutions = Self.kernels(model, plan.setting, taps: plan.taps, precision, scratch)
    kernels[precision] = convolutions
    let training = plan.setting.configuration.training
    taskCrossEntropy = CrossEntropy(
      classes: model.network.classes, smoothing: training.labelSmoothing, weights: plan.classWeights)
    _ = scalars(StepScalars.taskLoss)
    let taskLoss = TaskLoss(taskCrossEntropy)
    for stage in Stage.allCases { add(taskLoss, in: stage) }
    var firstTap = 0
    for part in plan.parts {
      part.join(self, firstTap: firstTap)
      firstTap += part.taps.count
    }
  }

  private static func kernels(
    _ model: ModelState, _ setting: MethodSetting, taps: [Int], _ precision: ElementType, _ scratch: Scratch
  ) -> TrainingKernels {
    TrainingKernels(
      model.network, layout: model.layout, taps: taps, statistics: UnsafePointer(model.statistics.pointer),
      backend: setting.configuration.kernels.convolution, precision: precision, scratch: scratch)
  }

  /// Those of the target pass.
  var targetKernels: TrainingKernels {
    let precision = setting.configuration.refinementElement
    if let known = kernels[precision] { return known }
    let made = Self.kernels(model, setting, taps: taps, precision, scratch)
    kernels[precision] = made
    return made
  }

  package func add(_ transform: any InputTransform, in stages: Stage...) {
    for stage in stages { transforms[stage.rawValue].append(transform) }
  }

  package func add(_ term: any LossTerm, in stages: Stage...) {
    for stage in stages { terms[stage.rawValue].append(term) }
  }

  /// Places of new scalars.
  package func scalars(_ names: String...) -> Range<Int> { scalars(names) }
  package func scalars(_ names: [String]) -> Range<Int> {
    self.names += names
    return self.names.count - names.count..<self.names.count
  }

  /// Another network on the same filters, with a plan for each size.
  package func network(taps: [Int], differentiable: Bool, on kernels: TrainingKernels? = nil) -> TrainingNetwork {
    let network = TrainingNetwork(
      kernels ?? convolutions, taps: taps, capacity: capacity, differentiable: differentiable)
    for samples in sizes.sorted() { network.prepare(samples: samples) }
    return network
  }

  func stages(taps: [Int]) -> [TrainingMethod.Parts] {
    let student = network(taps: taps, differentiable: true)
    return Stage.allCases.map { stage in
      TrainingMethod.Parts(
        transforms: transforms[stage.rawValue], objective: Objective(student, terms: terms[stage.rawValue]))
    }
  }

  var stepScalars: StepScalars { StepScalars(names: names) }
}
