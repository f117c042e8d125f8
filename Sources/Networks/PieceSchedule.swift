import Kernels

/// How a batch runs in training mode: each node in turn, piece by piece, so that a pass over memory follows the one that
/// wrote it while the piece is still in the cache.
///
/// A convolution's output waits for the statistics of the whole batch. It is **finished** (normalised, added to, cut at 0)
/// by the first node that needs it, just before that node reads the piece; and its gradient is gathered and masked by the
/// same node's backward turn, just after that has written the last part of it.
struct PieceSchedule {
  /// For each node, the convolutions whose outputs it finishes, in the order of the network.
  let finished: [[Int]]
  /// For each node, the last one in whose turn its output is still read; itself where nobody reads it.
  let lastRead: [Int]
  /// Whether a convolution's output is made for one reader, another convolution, alone: no more than a piece of it is
  /// kept, and the backward pass makes it again. That costs less than to write it to memory and to read it back.
  let isTransient: [Bool]

  /// `batchStatistics`: false where outputs need not wait, so that each node finishes its own. `kept`: nodes whose outputs
  /// somebody else reads.
  init(_ architecture: Architecture, batchStatistics: Bool, kept: [Int]) {
    let nodes = architecture.nodes
    // Which node finishes it. An addend is read when the output it is added to is finished. Readers come later in the
    // list, so going backwards they are known.
    var finisher = Array(nodes.indices)
    var lastRead = Array(nodes.indices)
    var isTransient = nodes.map { _ in false }
    for (index, node) in nodes.enumerated().reversed() {
      var readers: [Int] = []
      for (reader, other) in nodes.enumerated() {
        if other.input == index { readers.append(reader) }
        if other.addend == index { readers.append(finisher[reader]) }
      }
      lastRead[index] = readers.max() ?? index
      if batchStatistics, node.isConvolution {
        guard let first = readers.min() else { preconditionFailure("nobody reads the convolution \(index)") }
        finisher[index] = first
        isTransient[index] =
          readers.count == 1 && nodes[first].input == index && nodes[first].isConvolution && !kept.contains(index)
      }
    }
    self.lastRead = lastRead
    self.isTransient = isTransient
    finished = nodes.indices.map { node in
      nodes.indices.filter { finisher[$0] == node && $0 != node }
    }
  }
}

extension Architecture.Node {
  var isConvolution: Bool {
    if case .convolution = operation { true } else { false }
  }

  /// The node whose output is added to this one's.
  var addend: Int? {
    if case .convolution(let filter) = operation { filter.addend } else { nil }
  }
}

/// The sizes of the pieces into which `samples` samples are cut: whole ones, and what is left.
package func pieceSizes(of samples: Int, atMost size: Int) -> Set<Int> {
  Set([min(samples, size), samples % size]).subtracting([0])
}
