import Execution
import Kernels
import Runtime

/// a(e) L_task: mean cross entropy of the student's logits, with label smoothing and weights of classes where they are
/// asked for. The mean is over the batch, whatever its shards: a sample counts by its class's weight over the mean of
/// the batch's weights.
final class TaskLoss: LossTerm {
  private let crossEntropy: CrossEntropy
  let readsFeatures = false

  init(_ crossEntropy: CrossEntropy) { self.crossEntropy = crossEntropy }

  func evaluate(_ student: TrainingPass, of shard: ShardStep) {
    let samples = Double(student.samples) * shard.inputs.meanWeight
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
