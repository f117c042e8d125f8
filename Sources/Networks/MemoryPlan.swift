import Kernels

/// Where every intermediate of a network lies in one block of memory, in floats per sample, so one plan serves every batch
/// size: offset times batch. An intermediate that is not needed any more gives its place to the next one.
struct MemoryPlan {
  /// A stretch of the block, in floats per sample.
  struct Slot: Equatable {
    var offset: Int
    var size: Int
  }

  struct NodeSlots {
    /// x * w before BatchNorm, where it is kept apart from the output.
    var convolved: Slot?
    /// Nil for the input, which is the caller's, and for what is transient (`PieceSchedule`).
    var output: Slot?
    /// Gradients that reach the output; their sum, masked, lands in `gradient`.
    var sources: [Slot] = []
    var gradient: Slot?
    var inputGradient: Slot?
    /// Gradient that a loss on this output puts in from outside.
    var seed: Slot?
  }

  struct Purpose: OptionSet {
    let rawValue: Int
    /// Keep what the backward pass reads, and plan that pass.
    static let backward = Purpose(rawValue: 1)
    /// BatchNorm runs by itself behind the convolution.
    static let batchStatistics = Purpose(rawValue: 2)
    /// The gradient of the input is wanted.
    static let inputGradient = Purpose(rawValue: 4)
  }

  private(set) var nodes: [NodeSlots] = []
  /// Floats per sample of the whole block.
  private(set) var size = 0
  private var free: [Slot] = []

  init(_ architecture: Architecture, taps: [Int], for purpose: Purpose) {
    planForward(architecture, taps: taps, purpose)
    if purpose.contains(.backward) { planBackward(architecture, taps: taps, purpose) }
  }

  private mutating func planForward(_ architecture: Architecture, taps: [Int], _ purpose: Purpose) {
    let batchStatistics = purpose.contains(.batchStatistics)
    let kept = taps + [architecture.output]
    let schedule = PieceSchedule(architecture, batchStatistics: batchStatistics, kept: kept)
    for (index, node) in architecture.nodes.enumerated() {
      var slots = NodeSlots()
      if case .input = node.operation {
        nodes.append(slots)
        continue
      }
      let size = node.shape.sampleCount
      if !schedule.isTransient[index] { slots.output = take(size) }
      if batchStatistics, node.isConvolution {
        slots.convolved = purpose.contains(.backward) ? take(size) : slots.output ?? take(size)
      }
      nodes.append(slots)
      guard !purpose.contains(.backward) else { continue }
      for spent in 1...index where schedule.lastRead[spent] == index && !kept.contains(spent) {
        giveBack(nodes[spent].output ?? nodes[spent].convolved!)
      }
    }
  }

  private mutating func planBackward(_ architecture: Architecture, taps: [Int], _ purpose: Purpose) {
    nodes[architecture.output].seed = take(architecture.nodes[architecture.output].shape.sampleCount)
    for tap in taps where tap != architecture.output {
      nodes[tap].seed = take(architecture.nodes[tap].shape.sampleCount)
    }
    for index in architecture.nodes.indices.reversed() where index > 0 {
      let node = architecture.nodes[index]
      // The sum of the sources may take the first one's place: nobody reads it again.
      let gradient = nodes[index].sources.first ?? take(node.shape.sampleCount)
      for spent in nodes[index].sources.dropFirst() { giveBack(spent) }
      nodes[index].gradient = gradient
      // The output of a shortcut's block hands its gradient on as it is, so that slot has a second reader.
      if let addend = node.addend { nodes[addend].sources.append(gradient) }
      if node.input > 0 || purpose.contains(.inputGradient) {
        let inputGradient = take(architecture.nodes[node.input].shape.sampleCount)
        nodes[index].inputGradient = inputGradient
        nodes[node.input].sources.append(inputGradient)
      }
      if node.addend == nil { giveBack(gradient) }
    }
  }

  /// First fit, splitting what is larger; sizes are whole cache lines, so every slot is aligned at any batch size.
  private mutating func take(_ count: Int) -> Slot {
    let needed = (count + 15) / 16 * 16
    if let index = free.firstIndex(where: { $0.size >= needed }) {
      let slot = Slot(offset: free[index].offset, size: needed)
      free[index].offset += needed
      free[index].size -= needed
      if free[index].size == 0 { free.remove(at: index) }
      return slot
    }
    defer { size += needed }
    return Slot(offset: size, size: needed)
  }

  private mutating func giveBack(_ slot: Slot) {
    var slot = slot
    for (index, other) in free.enumerated().reversed() {
      if other.offset + other.size == slot.offset {
        slot = Slot(offset: other.offset, size: other.size + slot.size)
      } else if slot.offset + slot.size == other.offset {
        slot = Slot(offset: slot.offset, size: slot.size + other.size)
      } else {
        continue
      }
      free.remove(at: index)
    }
    free.append(slot)
  }
}
