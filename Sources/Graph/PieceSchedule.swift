/// How a batch goes through a program: in stages, and through each stage piece by piece, so that a pass over memory
/// follows the one that wrote it while the piece is still in the cache.
///
/// A stage ends where a step has to wait for the whole batch. An operator of scope `.statistics` is **measured** in the
/// stage that makes its input; its output is made by the stage that first needs it, just before it is read; and
/// backwards its gradient is gathered there, just after the last part of it was written. An operator of scope `.batch`
/// is a stage of its own. The backward pass is the forward pass read from the end: last stage first, and in it the last
/// action first.
package struct PieceSchedule: Sendable {
  package struct Action: Hashable, Sendable {
    package enum Kind: Sendable {
      case forward, measure
    }
    package var kind: Kind
    package var step: Int
  }

  package struct Stage: Sendable {
    package var actions: [Action] = []
    /// Its one action takes the whole batch.
    package var isWhole = false

    /// Steps that are measured here.
    package var measured: [Int] { actions.filter { $0.kind == .measure }.map(\.step) }
  }

  package private(set) var stages: [Stage] = [Stage()]
  /// For each step, the stage that makes its output, and the one that measures it (that makes it, for all others).
  package private(set) var producer: [Int]
  package private(set) var home: [Int]

  /// `kept`: steps whose outputs somebody reads at the end.
  package init(_ program: Program, kept: [Int]) {
    producer = Array(repeating: -1, count: program.steps.count)
    home = producer
    for (index, step) in program.steps.enumerated() where index > 0 && !step.isView {
      switch step.operator.scope {
      case .sample:
        for input in step.inputs.indices { makeReadable(program.source(index, input), program) }
        act(.forward, index)
      case .statistics:
        makeReadable(program.source(index, 0), program)
        act(.measure, index)
      case .batch:
        for input in step.inputs.indices { makeReadable(program.source(index, input), program) }
        closeStage()
        act(.forward, index)
        stages[stages.count - 1].isWhole = true
        closeStage()
      }
    }
    for step in kept { makeReadable(program.roots[step], program) }
    if stages.last!.actions.isEmpty { stages.removeLast() }
  }

  private mutating func closeStage() {
    if !stages.last!.actions.isEmpty { stages.append(Stage()) }
  }

  private mutating func act(_ kind: Action.Kind, _ step: Int) {
    let stage = stages.count - 1
    stages[stage].actions.append(Action(kind: kind, step: step))
    if home[step] < 0 { home[step] = stage }
    if kind == .forward { producer[step] = stage }
  }

  /// Makes a measured step's output, if that is still to be done, in the stage that is being made.
  private mutating func makeReadable(_ step: Int, _ program: Program) {
    guard step > 0, producer[step] < 0 else { return }
    for input in program.steps[step].inputs.indices.dropFirst() { makeReadable(program.source(step, input), program) }
    if home[step] == stages.count - 1 { closeStage() }
    act(.forward, step)
  }
}

/// The sizes of the pieces into which `samples` samples are cut: whole ones, and what is left.
package func pieceSizes(of samples: Int, atMost size: Int) -> Set<Int> {
  Set([min(samples, size), samples % size]).subtracting([0])
}
