import Datasets
import Graph
import Kernels
import Runtime

/// One shard on its way through a step: what a part of the method may read of the others.
package struct ShardStep {
  package let context: StepContext
  /// Addresses of the samples, for random numbers.
  package let samples: UnsafeBufferPointer<Int>
  /// What the student sees: at first the shard's images and labels, later what transforms make of them.
  package var inputs: StepInputs
  /// The shard's images and labels, whatever the student sees.
  package let originals: StepInputs
  /// Those of the model, as they are before the step.
  package let parameters: UnsafePointer<Float>
  /// The shard's own copy of the running statistics: the student pass moves it, the refinement reads it, the target
  /// pass moves it again.
  package let statistics: UnsafeMutablePointer<Float>
  package var scalars: StepScalars
  package let phases: any PhaseMarking

  /// The configuration's.
  package let seed: Int

  var count: Int { samples.count }
  /// The address of what dropout draws: the same in all passes of the step.
  var randomness: Randomness? { randomness(of: samples) }
  func randomness(of samples: UnsafeBufferPointer<Int>) -> Randomness? {
    samples.baseAddress.map { Randomness(seed: seed, epoch: context.epoch, samples: $0) }
  }
}
