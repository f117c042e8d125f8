import Checkpointing
import Configuration
import Datasets
import Files
import Graph
import Kernels
import MPI
import Models
import Planning
import Reporting
import Runtime
import Supervision

extension Communicator {
  /// Data and model of a command that measures the weights of a file, agreed on by all ranks.
  func planToMeasure(
    _ configuration: RunConfiguration, weights path: String, kind: WeightsKind, judgesClasses: Bool = true,
    _ clock: PhaseClock
  ) throws -> (MeasurementPlan, ModelState) {
    KernelLibrary.setThreads(configuration.training.threads)
    let weights = try collectively { try WeightsFile(path: path, kind: kind) }
    let filled = weights.preprocessing.filling(configuration, keepsClasses: !judgesClasses)
    let indexes = try pictureIndexes(
      filled, clock, measuresTraining: filled.data.mean == nil || filled.data.std == nil)
    let (plan, model) = try collectively {
      let plan = try MeasurementPlan(configuration, weights: weights, judgesClasses: judgesClasses, indexes: indexes)
      let model = ModelState(plan.network.trunk, seed: 0)
      try model.load(weights.tensors, from: path)
      return (plan, model)
    }
    try agree(on: "the data", plan.identity)
    if rank == 0, let choice = weights.choice(by: "--weights-kind") { Fatal.write("icp: \(choice)") }
    if rank == 0, let warning = plan.warning { Fatal.write("icp: warning: \(warning)") }
    return (plan, model)
  }

  /// Finite weights may still overflow; what came of that must not look like a measurement.
  func warn(ofNotFinite count: Int, _ what: String) {
    guard rank == 0, count > 0 else { return }
    Fatal.write("icp: warning: \(count) \(what) that are not finite, and count as wrong: the weights are not usable")
  }

  /// A mean of losses that count for less than they are is none.
  func warn(ofCapped count: Int) {
    guard rank == 0, count > 0 else { return }
    let largest = Int(EvaluationSums.largestLoss)
    Fatal.write(
      "icp: warning: \(counted(count, "test image")) of a loss above \(largest), which count as \(largest): the mean is "
        + "larger than the loss printed, and the network has diverged")
  }
}
