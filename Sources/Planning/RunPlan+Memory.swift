import Execution
import Graph
import Runtime

extension RunPlan {
  /// What a rank's networks, parameters, state and images take, in bytes; the libraries' own memory comes on top.
  package func bytesPerRank(ranks: Int) -> Double {
    let layout = ParameterLayout(network)
    let schedule = batches.schedule
    let parameters = 4 * Double(layout.parameterCount)
    // The weights, the batch's gradient, the optimiser's state, the reduction's message of eight bytes a value; and a
    // copy of weights and state while they are saved.
    var bytes = parameters * 9 + method.bytes(sizes: schedule.shardSizes)
    // The evaluation's network, in two sizes of a piece; its confusion matrix: the sums, the table, and the same again
    // in the report.
    bytes += FrozenNetwork.bytes(network, layout: layout)
    bytes += 3 * 8 * Double(network.classes) * Double(network.classes)
    // The loader's two slots.
    let shardsPerRank = Double((shards + ranks - 1) / ranks)
    return bytes + 2 * shardsPerRank * Double(schedule.shardCapacity * network.input.count) * 4
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
