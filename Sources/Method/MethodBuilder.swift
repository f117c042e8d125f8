import Execution
import Graph
import Kernels
import Models

/// What a `TrainingMethod` is put together with: parts join one after the other, in the order in which they are
/// applied.
package final class MethodBuilder {
  package let model: ModelState
  package let convolutions: TrainingKernels
  /// Of a target pass with the model's weights: the student's, where both have the same precision.
  package let targetKernels: TrainingKernels
  package let scratch: Scratch
  package let student: TrainingNetwork
  /// Whose weights the target pass has, where they are not the student's.
  package let teacher: (kernels: TrainingKernels, weights: UnsafePointer<Float>)?
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
  private(set) var imageRows: [ImageRows] = []

  /// `average`: of the weights, where `training.ema` takes one.
  init(_ plan: MethodPlan, model: ModelState, average: ModelState?, sizes: Set<Int>) {
    self.model = model
    self.sizes = sizes
    let scratch = Scratch()
    self.scratch = scratch
    let setting = plan.setting
    func kernels(
      of model: ModelState, _ precision: ElementType, wantsInputGradient: Bool = false
    ) -> TrainingKernels {
      TrainingKernels(
        model.network, layout: model.layout, taps: plan.taps, statistics: UnsafePointer(model.statistics.pointer),
        backend: setting.configuration.kernels.convolution, precision: precision, scratch: scratch,
        wantsInputGradient: wantsInputGradient)
    }
    let (own, target) = (setting.configuration.trainingElement, setting.configuration.refinementElement)
    convolutions = kernels(of: model, own, wantsInputGradient: setting.reusesStudent)
    student = TrainingNetwork(convolutions, taps: plan.taps, capacity: sizes.max() ?? 0, differentiable: true)
    for samples in sizes.sorted() { student.prepare(samples: samples) }
    teacher =
      setting.configuration.averageTeaches
      ? average.map { (kernels: kernels(of: $0, target), weights: UnsafePointer($0.parameters.pointer)) } : nil
    let isOwn = own == target || teacher != nil || setting.configuration.icp.rule == .none
    targetKernels = isOwn ? convolutions : kernels(of: model, target)
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

  /// What a part keeps of each training image.
  func imageRows(_ name: String, images: Int, width: Int, capacity: Int) -> ImageRows {
    let rows = ImageRows(name, images: images, width: width, capacity: capacity)
    imageRows.append(rows)
    return rows
  }

  /// Another network on the same filters, with a plan for each size.
  package func network(
    taps: [Int], differentiable: Bool, on kernels: TrainingKernels? = nil, sizes: Set<Int>? = nil
  ) -> TrainingNetwork {
    let sizes = sizes ?? self.sizes
    let network = TrainingNetwork(
      kernels ?? convolutions, taps: taps, capacity: sizes.max() ?? 0, differentiable: differentiable)
    for samples in sizes.sorted() { network.prepare(samples: samples) }
    return network
  }

  func stages() -> [TrainingMethod.Parts] {
    Stage.allCases.map { stage in
      TrainingMethod.Parts(
        transforms: transforms[stage.rawValue], objective: Objective(student, terms: terms[stage.rawValue]))
    }
  }

  var stepScalars: StepScalars { StepScalars(names: names) }
}
