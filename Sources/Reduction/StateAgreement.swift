import Formats
import Graph
import MPI
import Models
import Optimization
import Runtime

/// Whether all ranks still hold the same weights, running statistics, averages and optimiser state, to the bit. They
/// must, since every rank takes the same step from the same sums: a difference is a fault of hardware or of the
/// program.
package struct StateAgreement {
  private let communicator: Communicator
  private let tensors: [(name: String, values: UnsafeBufferPointer<Float>)]

  package init(
    model: ModelState, average: WeightAverage? = nil, optimizer: Optimizer, communicator: Communicator
  ) {
    self.communicator = communicator
    let layout = model.layout
    func tensors(
      _ prefix: String, _ entries: [ParameterLayout.Entry], _ block: UnsafeMutableBufferPointer<Float>
    ) -> [(String, UnsafeBufferPointer<Float>)] {
      entries.map { (prefix + $0.name, UnsafeBufferPointer(rebasing: block[$0.range])) }
    }
    func tensors(_ prefix: String, _ model: ModelState) -> [(String, UnsafeBufferPointer<Float>)] {
      tensors(prefix, layout.parameters, model.parameters.values)
        + tensors(prefix, layout.statistics, model.statistics.values)
    }
    self.tensors =
      tensors("", model) + (average.map { tensors(WeightNames.averagePrefix, $0.model) } ?? [])
      + optimizer.slots.flatMap { tensors("optimizer.\($0.name).", layout.parameters, $0.values) }
  }

  /// Of this rank, now.
  package var digest: StateDigest {
    StateDigest(checksums: tensors.map { Checksum.crc32(UnsafeRawBufferPointer($0.values)) }, host: Platform.host)
  }

  /// Every rank calls it, after the same step. Throws on every rank where they differ, naming ranks and tensors.
  package func check(after step: Int) throws {
    guard communicator.size > 1 else { return }
    let ranks = try communicator.gather(digest.bytes).map { StateDigest(bytes: $0, tensors: tensors.count) }
    guard let difference = difference(among: ranks) else { return }
    throw SharedError(
      exitCode: ExitCode.ranksDisagree,
      description: "after step \(step): \(difference); nothing was saved of that: go on from the last checkpoint, "
        + "without that host if it happens again")
  }

  /// Which of the ranks hold other values than most, and in which tensors; nil where all hold the same.
  package func difference(among ranks: [StateDigest]) -> String? {
    var odd: [Int: [String]] = [:]
    for (index, tensor) in tensors.enumerated() {
      let groups = Dictionary(grouping: ranks.indices) { ranks[$0].checksums[index] }
      guard groups.count > 1 else { continue }
      // Of two ranks nobody can say which is right: rank 0 counts then.
      let right = groups.values.max { ($0.count, -$0[0]) < ($1.count, -$1[0]) }!
      for rank in ranks.indices where !right.contains(rank) { odd[rank, default: []].append(tensor.name) }
    }
    guard !odd.isEmpty else { return nil }
    let others = ranks.count > 2 ? "the other ranks" : "rank \(communicator.firstRank)"
    return odd.sorted { $0.key < $1.key }.map { rank, names in
      "rank \(communicator.firstRank + rank) host \(ranks[rank].host) holds other values than \(others) in "
        + names.prefix(3).joined(separator: ", ") + (names.count > 3 ? " and \(names.count - 3) more tensors" : "")
    }.joined(separator: "; ")
  }
}
