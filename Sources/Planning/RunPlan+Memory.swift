import Networks
import Runtime

extension RunPlan {
  /// What a rank's networks, parameters, state and images take, in bytes; the libraries' own memory comes on top.
  package func bytesPerRank(ranks: Int) -> Double {
    let layout = ParameterLayout(architecture)
    let schedule = batches.schedule
    var bytes = TrainingNetwork.bytes(
      architecture, taps: step.taps + architecture.branchTaps, capacity: schedule.shardCapacity, differentiable: true)
    if step.addsStrayGradient {
      bytes += TrainingNetwork.bytes(architecture, taps: [], capacity: schedule.shardCapacity, differentiable: true)
    }
    if step.refinement != nil {
      bytes += FrozenNetwork.bytes(architecture, layout: layout)
      if step.objective == .distillation {
        bytes += TrainingNetwork.bytes(
          architecture, taps: step.taps, capacity: schedule.shardCapacity, differentiable: false)
      }
    }
    // Parameters, a shard's and the batch's gradients, two slots of the optimiser, the reduction's message of eight bytes a
    // value, and a snapshot while it is saved.
    bytes += Double(layout.parameterCount) * 4 * 10
    // For each size of a piece: packed weights of both directions and their order; the weights' gradient, its sum and order;
    // the same without a gradient for frozen networks, the evaluation's two with one direction.
    let trainingSizes = Set(schedule.shardSizes.flatMap { pieceSizes(of: $0, atMost: TrainingConvolutions.pieceSize) })
    let frozenSizes = Set(schedule.shardSizes.flatMap { pieceSizes(of: $0, atMost: FrozenNetwork.pieceSize) })
    let sets = 7 * trainingSizes.count + 4 * (step.refinement == nil ? 0 : frozenSizes.count) + 2 * 2
    bytes += Double(layout.parameterCount) * 4 * Double(sets)
    let largest = architecture.nodes.map(\.shape.sampleCount).max() ?? 0
    bytes += Double(2 * largest * TrainingConvolutions.pieceSize * 4)
    // An evaluation's confusion matrix: the sums, the table, and the same again in the report.
    bytes += 3 * 8 * Double(architecture.classes) * Double(architecture.classes)
    // The loader's two slots, and x_T.
    let shardsPerRank = Double((shards + ranks - 1) / ranks)
    bytes += (2 * shardsPerRank + 1) * Double(schedule.shardCapacity * architecture.input.sampleCount) * 4
    return bytes
  }

  /// Throws where a rank alone needs more than this host has: an allocation that fails later could not be explained.
  func checkMemory(ranks: Int) throws {
    let needed = bytesPerRank(ranks: ranks)
    guard let total = HostMemory.total, needed > Double(total) else { return }
    throw UsageError(
      "this model and batch need about \(Int((needed / 0x1p30).rounded())) GiB a rank, and the host has \(total >> 30); "
        + "lower training.batch_size, data.size or the model's size, or raise training.shards")
  }
}
