import Execution
import Kernels
import Runtime

/// a(e) L_task: mean cross entropy of the student's logits, with label smoothing where it is asked for.
final class TaskLoss: LossTerm {
  private let crossEntropy: CrossEntropy
  let readsFeatures = false

  init(_ crossEntropy: CrossEntropy) { self.crossEntropy = crossEntropy }

  func evaluate(_ student: TrainingPass, of shard: ShardStep) {
    let samples = Double(student.samples)
    shard.scalars.correct = 0
    let sum = crossEntropy(
      logits: student.logits, labels: shard.inputs.labels, mixture: shard.inputs.mixture, samples: student.samples,
      scale: shard.context.alpha / samples, gradient: student.logitsGradient, correct: &shard.scalars.correct)
    shard.scalars.means[0] = sum / samples
  }

  func loss(_ batch: StepScalars, _ context: StepContext) -> Double { context.alpha * batch.taskLoss }

  func report(_ batch: StepScalars, _ context: StepContext) -> NamedValues {
    [StepScalars.taskLoss: .number(batch.taskLoss)]
  }
}
