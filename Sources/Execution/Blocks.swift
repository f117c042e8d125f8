import Graph
import Kernels

/// The memory of a program's intermediates: what lasts, for a batch, and what lives within a stage, for a piece.
final class Blocks {
  private let batch, piece: Tensor
  private let pieceSamples: Int

  /// For batches of up to `capacity` samples.
  init(_ plan: MemoryPlan, capacity: Int, pieceSize: Int) {
    pieceSamples = min(pieceSize, capacity)
    batch = Tensor(count: plan.batchBytes * capacity / 4)
    piece = Tensor(count: plan.pieceBytes * pieceSamples / 4)
  }

  /// Where a place lies for batches of `samples`, `bytes` a sample.
  func address(_ place: MemoryPlan.Place, samples: Int, bytes: Int) -> StepMemory.Address {
    switch place {
    case .input: StepMemory.Address(base: nil, stride: bytes)
    case .batch(let offset):
      StepMemory.Address(base: UnsafeMutableRawPointer(batch.pointer) + offset * samples, stride: bytes)
    case .piece(let offset):
      StepMemory.Address(base: UnsafeMutableRawPointer(piece.pointer) + offset * pieceSamples, stride: 0)
    }
  }

  /// Bytes, in floating point, since a configuration may ask for more than an integer holds.
  static func bytes(_ plan: MemoryPlan, capacity: Int, pieceSize: Int) -> Double {
    Double(plan.batchBytes) * Double(capacity) + Double(plan.pieceBytes) * Double(min(pieceSize, capacity))
  }
}
