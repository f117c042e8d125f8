import Graph
import Kernels
import Testing

@Suite struct `Memory plan` {
  private func plan(_ program: Program, kept: [Int], lossInputs: [Int]) -> MemoryPlan {
    MemoryPlan(
      program, schedule: PieceSchedule(program, kept: kept), kept: kept,
      purpose: MemoryPlan.Purpose(lossInputs: lossInputs, wantsParameterGradients: !lossInputs.isEmpty))
  }
  private func isForPiece(_ place: MemoryPlan.Place?) -> Bool { if case .piece = place { true } else { false } }
  private func isForBatch(_ place: MemoryPlan.Place?) -> Bool { if case .batch = place { true } else { false } }

  /// x > conv 1 > bn 2 > conv 3 > bn 4 > dense 5
  static let chain = program(
    [
      (Planned.convolution, [0]), (Planned.normalization, [1]), (Planned.convolution, [2]),
      (Planned.normalization, [3]), (Planned.dense, [4]),
    ], kept: [5])

  @Test func `what one stage alone reads is kept for a piece, and made again`() {
    let plan = plan(Self.chain, kept: [5], lossInputs: [5])
    // Before the statistics for the whole batch; after them for a piece, since conv 3 alone reads it.
    #expect(isForBatch(plan.steps[1].output))
    #expect(isForPiece(plan.steps[2].output) && isForPiece(plan.steps[2].remade))
    #expect(plan.remakes == [[], [2], [], []])
    // The dense layer takes the whole batch.
    #expect(isForBatch(plan.steps[4].output) && plan.steps[4].remade == nil)
    // Between normalisation and convolution a gradient lives for a piece; after the normalisation it waits for sums.
    #expect(isForPiece(plan.steps[3].gradient) && isForBatch(plan.steps[2].gradient))
    // Nobody wants the input's gradient.
    #expect(plan.steps[1].inputGradients == [nil] && plan.steps[0].gradient == nil)
  }

  @Test func `without a backward pass outputs give their places on`() {
    let chain = program((1...6).map { (Planned(kind: "pointwise"), [$0 - 1]) }, kept: [6])
    let plan = plan(chain, kept: [6], lossInputs: [])
    #expect(plan.batchBytes == 64 && plan.pieceBytes == 2 * 64)
  }

  @Test func `places that are in use together do not overlap`() {
    let plan = plan(Self.chain, kept: [5], lossInputs: [5])
    // The gradient of bn 4 and what its backward pass reads, and the kept output with everything.
    let places = [plan.steps[1].output!, plan.steps[3].output!, plan.steps[4].gradient!, plan.steps[5].output!]
    let offsets = places.map { if case .batch(let offset) = $0 { offset } else { -1 } }
    #expect(Set(offsets).count == offsets.count && offsets.allSatisfy { $0 >= 0 && $0 % 64 == 0 })
  }

  @Test func `any number of gradients meet at an output`() {
    let fan = program(
      [(Planned.convolution, [0])] + (0..<5).map { _ in (Planned.convolution, [1]) }
        + [(Planned(kind: "sum", passed: [0, 1, 2, 3, 4]), [2, 3, 4, 5, 6])], kept: [7])
    let plan = plan(fan, kept: [7], lossInputs: [7])
    #expect(plan.steps[1].sources.count == 5)
    // A sum hands its gradient on: five nodes share one place.
    #expect(Set((2...6).map { plan.steps[$0].gradient! }).count == 1)
  }
}
