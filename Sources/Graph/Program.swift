/// A network lowered for one use: the operators that run, fused where a rule found something, with the orders of axes
/// in memory. What PieceSchedule and MemoryPlan plan, and an executor runs.
package struct Program: Sendable {
  package struct Step: Sendable {
    package var name: String
    package var `operator`: any Operator
    /// Steps before this one.
    package var inputs: [Int]
    package var output: Value
    /// The first input's memory under another shape: nothing runs.
    package var isView: Bool

    package init(name: String, operator: any Operator, inputs: [Int], output: Value, isView: Bool) {
      self.name = name
      self.operator = `operator`
      self.inputs = inputs
      self.output = output
      self.isView = isView
    }
  }

  package let steps: [Step]
  /// Of each step, the one whose memory its output is: itself, but for views.
  package let roots: [Int]
  /// The steps that the network's nodes became, for the nodes whose outputs somebody asked to keep.
  package let kept: [Int: Int]
  private let freeze: Freeze

  package init(steps: [Step], kept: [Int: Int], freeze: Freeze = Freeze()) {
    var roots: [Int] = []
    for (index, step) in steps.enumerated() { roots.append(step.isView ? roots[step.inputs[0]] : index) }
    self.steps = steps
    self.roots = roots
    self.kept = kept
    self.freeze = freeze
  }

  package func inputs(of step: Int) -> [Value] { steps[step].inputs.map { steps[$0].output } }
  package func variables(of step: Int) -> [Variable] {
    steps[step].operator.variables(of: inputs(of: step).map(\.shape))
  }
  /// Whether it has a parameter that training changes.
  package func trains(_ step: Int) -> Bool { variables(of: step).contains(where: freeze.trains) }
  /// Its variables that training changes not, though it changes others of it.
  package func frozenBesideTrained(_ step: Int) -> [Variable] {
    guard trains(step) else { return [] }
    return variables(of: step).filter { $0.kind == .parameter && !freeze.trains($0) }
  }
  /// Steps whose memory input `input` of `step` is.
  package func source(_ step: Int, _ input: Int) -> Int { roots[steps[step].inputs[input]] }
}
