import Graph
import Kernels
import Testing

/// Operators of every scope that compute nothing: plans are made without kernels.
struct Planned: Operator {
  var kind: String
  var scope = Scope.sample
  var backwardReads = Operands.none
  var parameterReads = Operands.none
  var isCheap = false
  var endsInReLU = false
  var passed: [Int] = []
  var parameter: String?

  func variables(of inputs: [SampleShape]) -> [Variable] {
    parameter.map { [Variable($0, [1], start: .constant(0))] } ?? []
  }
  func passesGradient(of inputs: [Value], output: Value) -> [Int] { passed }
  func export(_ x: [ExportGraph.Value], to graph: inout ExportGraph) -> String { graph.add(kind, x) }
  func kernel(_ context: KernelContext) -> any Kernel { preconditionFailure("nothing runs") }

  static let convolution = Planned(kind: "convolution", parameterReads: .input, parameter: "w")
  static let normalization = Planned(
    kind: "normalization", scope: .statistics, backwardReads: .input, isCheap: true, endsInReLU: true)
  static let dense = Planned(kind: "dense", scope: .batch, parameterReads: .input, parameter: "d")
}

/// A program of 16 values a sample.
func program(_ steps: [(any Operator, [Int])], kept: [Int]) -> Program {
  let value = Value(SampleShape(16), order: .rowMajor(1))
  let all = [(Input(SampleShape(16)) as any Operator, [Int]())] + steps
  return Program(
    steps: all.enumerated().map {
      Program.Step(name: "\($0.offset)", operator: $0.element.0, inputs: $0.element.1, output: value, isView: false)
    }, kept: Dictionary(uniqueKeysWithValues: kept.map { ($0, $0) }))
}

@Suite struct `Piece schedule` {
  private func described(_ schedule: PieceSchedule) -> [String] {
    schedule.stages.map { stage in
      stage.actions.map { "\($0.kind == .measure ? "measure " : "")\($0.step)" }.joined(separator: ", ")
        + (stage.isWhole ? " at once" : "")
    }
  }

  @Test func `a batch statistic is waited for, and finished by its first reader`() {
    // x > conv 1 > bn 2 > conv 3 > bn 4 (+ 2) > dense 5
    let block = program(
      [
        (Planned.convolution, [0]), (Planned.normalization, [1]), (Planned.convolution, [2]),
        (Planned.normalization, [3, 2]), (Planned.dense, [4]),
      ], kept: [5])
    let schedule = PieceSchedule(block, kept: [5])
    #expect(described(schedule) == ["1, measure 2", "2, 3, measure 4", "4", "5 at once"])
    #expect(schedule.home == [-1, 0, 0, 1, 1, 3])
    #expect(schedule.producer == [-1, 0, 1, 1, 2, 3])
  }

  @Test func `a shortcut's statistic is finished just before the sum that reads it`() {
    let block = program(
      [
        (Planned.convolution, [0]), (Planned.normalization, [1]), (Planned.convolution, [0]),
        (Planned.normalization, [3, 2]), (Planned.convolution, [4]),
      ], kept: [5])
    #expect(described(PieceSchedule(block, kept: [5])) == ["1, measure 2, 3, measure 4", "2, 4, 5"])
  }

  @Test func `a network without batch statistics is one stage`() {
    let chain = program((1...4).map { (Planned(kind: "pointwise"), [$0 - 1]) }, kept: [4])
    #expect(described(PieceSchedule(chain, kept: [4])) == ["1, 2, 3, 4"])
  }

  @Test func `what somebody looks at is finished though nobody reads it`() {
    let chain = program([(Planned.convolution, [0]), (Planned.normalization, [1])], kept: [2])
    #expect(described(PieceSchedule(chain, kept: [2])) == ["1, measure 2", "2"])
  }

  @Test func `pieces are whole ones and what is left`() {
    #expect(pieceSizes(of: 20, atMost: 8) == [8, 4])
    #expect(pieceSizes(of: 16, atMost: 8) == [8])
    #expect(pieceSizes(of: 3, atMost: 8) == [3])
  }
}
