import Formats
import Graph
import MPI
import Models
import Optimization
import Runtime

/// Whether all ranks still hold the same weights, running statistics and optimiser state, to the bit. They must, since
/// every rank takes the same step from the same sums: a difference is a fault of hardware or of the program.
package struct StateAgreement {
  private let communicator: Communicator
  private let tensors: [(name: String, values: UnsafeBufferPointer<Float>)]

  package init(model: ModelState, optimizer: Optimizer, communicator: Communicator) {
    self.communicator = communicator
    let layout = model.layout
    func tensors(
      _ prefix: String, _ entries: [ParameterLayout.Entry], _ block: UnsafeMutableBufferPointer<Float>
    ) -> [(String, UnsafeBufferPointer<Float>)] {
      entries.map { (prefix + $0.name, UnsafeBufferPointer(rebasing: block[$0.range])) }
    }
    self.tensors =
      tensors("", layout.parameters, model.parameters.values)
      + tensors("", layout.statistics, model.statistics.values)
      + optimizer.slots.flatMap { tensors("optimizer.\($0.name).", layout.parameters, $0.values) }
  }

  /// Every rank calls it, after the same step. Throws on every rank where they differ, naming ranks and tensors.
  package func check(after step: Int) throws {
    guard communicator.size > 1 else { return }
    let mine = tensors.map { Checksum.crc32(UnsafeRawBufferPointer($0.values)) }
    let bytes = mine.withUnsafeBytes { Array($0) } + Array(Platform.host.utf8.prefix(Self.hostBytes))
    let padded = bytes + [UInt8](repeating: 0, count: mine.count * 4 + Self.hostBytes - bytes.count)
    let ranks = try communicator.gather(padded)
    guard ranks.contains(where: { $0.prefix(mine.count * 4) != ranks[0].prefix(mine.count * 4) }) else { return }
    throw SharedError(exitCode: ExitCode.ranksDisagree, description: describe(ranks, after: step))
  }

  private static let hostBytes = 64

  private func describe(_ ranks: [[UInt8]], after step: Int) -> String {
    func sum(_ rank: Int, _ tensor: Int) -> ArraySlice<UInt8> { ranks[rank][tensor * 4..<tensor * 4 + 4] }
    func host(_ rank: Int) -> String {
      String(decoding: ranks[rank].suffix(Self.hostBytes).prefix { $0 != 0 }, as: UTF8.self)
    }
    var odd: [Int: [String]] = [:]
    for (index, tensor) in tensors.enumerated() {
      let counts = Dictionary(grouping: ranks.indices) { sum($0, index) }
      guard counts.count > 1 else { continue }
      // Of two ranks nobody can say which is right: rank 0 counts then.
      let right = counts.values.max { ($0.count, -$0[0]) < ($1.count, -$1[0]) }!
      for rank in ranks.indices where !right.contains(rank) { odd[rank, default: []].append(tensor.name) }
    }
    let texts = odd.sorted { $0.key < $1.key }.map { rank, names in
      "rank \(communicator.firstRank + rank) host \(host(rank)) holds other values than \(ranks.count > 2 ? "the other ranks" : "rank \(communicator.firstRank)") in "
        + names.prefix(3).joined(separator: ", ") + (names.count > 3 ? " and \(names.count - 3) more tensors" : "")
    }
    return
      "after step \(step): \(texts.joined(separator: "; ")); nothing was saved of that: go on from the last checkpoint, "
      + "without that host if it happens again"
  }
}
