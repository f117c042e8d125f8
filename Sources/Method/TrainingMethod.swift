import Datasets
import Execution
import Graph
import Kernels
import Loading
import Models
import Runtime

/// The method on one shard (METHOD, "One cyclic step"): everything of a step but the reduction and the optimiser. It is
/// made of parts that it does not know by name: transforms of what the student sees, terms of the loss, and a rule by
/// which the gradient is taken. Every plan is made in `init`; a step allocates nothing.
package final class TrainingMethod {
  /// Those that take part in a stage.
  struct Parts {
    let transforms: [any InputTransform]
    let objective: Objective
  }

  private let model: ModelState
  /// Of all networks with the model's weights: the student's, and the target pass's where its precision is another.
  private let kernels: [TrainingKernels]
  private let teacher: (kernels: TrainingKernels, weights: UnsafePointer<Float>)?
  private let stages: [Parts]
  private let rule: any GradientRule
  private let seed: Int
  private let result: ShardResult
  /// What parts of the method keep of each training image.
  package let imageRows: [ImageRows]

  /// `sizes` of the shards that will come. `average`: of the weights, which must be there where the method asks for it
  /// (`distillation.teacher: ema`), and outlive this.
  package init(_ plan: MethodPlan, model: ModelState, average: ModelState? = nil, sizes: Set<Int>) {
    let builder = MethodBuilder(plan, model: model, average: average, sizes: sizes)
    self.model = model
    kernels =
      builder.targetKernels === builder.convolutions
      ? [builder.convolutions] : [builder.convolutions, builder.targetKernels]
    teacher = builder.teacher
    stages = builder.stages()
    rule = builder.rule
    imageRows = builder.imageRows
    seed = plan.setting.configuration.training.seed
    result = ShardResult(
      gradients: Tensor(count: model.layout.parameterCount), statistics: Tensor(count: model.layout.statisticCount),
      scalars: builder.stepScalars)
  }

  /// Takes the model's weights as they are now, for the shards of one step.
  package func begin() {
    for kernels in kernels { kernels.load(model.parameters.pointer) }
    if let teacher { teacher.kernels.load(teacher.weights) }
    for rows in imageRows { rows.begin() }
  }

  /// The step was taken: what it has found of images counts from now on.
  package func commit() { for rows in imageRows { rows.commit() } }

  /// What the student sees, the loss on it, and its gradient, of a shard with at least one sample. `whenFinal` hears,
  /// layer by layer, how many of the result's gradients are final.
  package func differentiate(
    _ shard: Shard, _ context: StepContext, phases: any PhaseMarking,
    whenFinal: (_ gradients: Tensor, _ count: Int) -> Void = { _, _ in }
  ) -> ShardResult {
    let parts = stages[context.stage.rawValue]
    result.scalars.reset()
    result.statistics.pointer.update(from: model.statistics.pointer, count: model.statistics.count)
    let inputs = StepInputs(shard)
    var step = ShardStep(
      context: context, samples: shard.samples, inputs: inputs, originals: inputs,
      parameters: UnsafePointer(model.parameters.pointer), statistics: result.statistics.pointer,
      scalars: result.scalars, phases: phases, seed: seed)
    for transform in parts.transforms { transform.apply(to: &step) }
    rule.differentiate(parts.objective, for: step, into: result.gradients) { whenFinal(result.gradients, $0) }
    return result
  }

  /// Names of the scalars, and zeros.
  package var scalars: StepScalars { StepScalars(like: result.scalars) }

  /// The loss that the step goes down, of the batch's means: a L_task + (1 - a) L_dist, or what a baseline makes of it.
  package func loss(_ batch: StepScalars, _ context: StepContext) -> Double {
    stages[context.stage.rawValue].objective.terms.reduce(0) { $0 + $1.loss(batch, context) }
  }

  /// What the batch's means come to, by name, for the record of the step.
  package func report(_ batch: StepScalars, _ context: StepContext) -> NamedValues {
    let parts = stages[context.stage.rawValue]
    let sources = parts.transforms as [any ScalarSource] + parts.objective.terms as [any ScalarSource]
    return NamedValues(sources.flatMap { $0.report(batch, context).all }) + [
      "total_loss": .number(loss(batch, context))
    ]
  }
}
