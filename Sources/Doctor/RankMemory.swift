import Checkpointing
import Configuration
import Evaluation
import Graph
import Loading
import Models
import Optimization
import Planning
import Reduction
import Runtime

/// What a rank of a run takes at most, in bytes: what its process holds already, and what every component of a run says
/// that it will take.
package struct RankMemory: Sendable {
  /// The program, its libraries and the data, at the moment when this was made.
  private let held: Double
  /// What comes beside, for as long as the run lasts.
  private let parts: [Double]
  /// What comes with the first steps and belongs to no component: threads and their stacks, messages under way, spare
  /// room of the allocator. Of 96 ranks (MemoryTests, AVX2) the plan without it was 1 to 10 MiB too low.
  private static let beginning = 4.0 * 0x1p20
  /// Of rank 0, which saves; and of all, after the last step. Neither is there while the other is.
  private let saving, final: Double
  /// Of rank 0, which shows TensorBoard images.
  private let shown: Double
  /// Of the file of a checkpoint.
  package let checkpointBytes: Double

  /// To be made once the data is there, and nothing else of the run. `final`: what is measured at its end.
  package init(_ plan: RunPlan, ranks: Int, final: FinalEvaluation? = nil) {
    let configuration = plan.configuration
    let layout = ParameterLayout(plan.network)
    let optimizer = Optimizer.Method(configuration.optimizer)
    let models = configuration.training.ema == nil ? 1 : 2
    let state =
      layout.parameterCount * (models + Optimizer.slotCount(optimizer)) + layout.statisticCount * models
      + plan.method.imageValues
    let measured = [plan.data.test, plan.data.validation, plan.trainSample].compactMap { $0?.count }
    held = Double(HostMemory.resident ?? 0)
    parts = [
      Self.beginning, ModelState.bytes(layout) * Double(models),
      plan.method.bytes(sizes: plan.batches.schedule.shardSizes),
      GradientReduction.bytes(layout, kind: configuration.training.gradientReduction, ranks: ranks),
      plan.method.exchangeBytes(ranks: ranks),
      Optimizer.bytes(optimizer, count: layout.parameterCount),
      BatchLoader.bytes(plan.batches, shards: (plan.shards + ranks - 1) / ranks),
      Evaluator.bytes(plan.network, backend: configuration.kernels.convolution, counts: measured),
      // Where the run began, to go back to.
      configuration.training.nonFinite == .rollback ? Snapshot.stateBytes(values: state) : 0,
    ]
    saving = Snapshot.bytesWhileSaving(values: state)
    checkpointBytes = Snapshot.fileBytes(values: state)
    self.final = final?.bytes ?? 0
    shown = configuration.logging.tensorboard ? RefinementSheet.bytes(plan) : 0
  }

  /// Beside what the process holds already.
  package func bytesToCome(rank: Int) -> Double {
    parts.reduce(0, +) + (rank == 0 ? max(saving, final) + shown : final)
  }
  package func bytes(rank: Int) -> Double { held + bytesToCome(rank: rank) }

  /// Of all ranks, if they are on one host.
  package func bytesToCome(ranks: Int) -> Double {
    bytesToCome(rank: 0) + Double(ranks - 1) * bytesToCome(rank: 1)
  }

  /// Throws where a rank alone needs more than this host has: an allocation that fails later could not be explained.
  package func check() throws {
    let needed = bytes(rank: 0)
    guard let total = HostMemory.total, needed > Double(total) else { return }
    throw UsageError(
      "this model and batch need about \(Int((needed / 0x1p30).rounded())) GiB a rank, and the host has \(total >> 30); "
        + "lower training.batch_size, data.size or the model's size, or raise training.shards")
  }

  /// For people.
  package func text(ranks: Int) -> String {
    func mebibytes(_ bytes: Double) -> String { "\(Int((bytes / 0x1p20).rounded())) MiB" }
    let available = HostMemory.available
    let beside = bytes(rank: 0) - bytes(rank: 1)
    let short = available.map { bytesToCome(ranks: ranks) > Double($0) } ?? false
    return "memory: about \(mebibytes(bytes(rank: 1))) a rank"
      + (beside > 0 ? ", and \(mebibytes(beside)) more on rank 0 while it saves" : "")
      + (available.map { "; \($0 >> 20) MiB available on this host" } ?? "")
      + (short ? "\nWARNING: \(ranks) ranks on this host alone would not fit" : "")
  }
}
