/// How the gradient of the images is found from what a training pass has left in memory, its statistics being
/// constants. Samples do not depend on each other then (what takes the whole batch at once does so to be fast). So a
/// few of them go back through all steps at once, with memory for that piece alone. What the pass did not keep, since a
/// pass over memory makes it again, is made again here too.
package struct InputGradientPlan: Sendable {
  package enum Place: Sendable {
    /// The caller's images.
    case images
    /// The training pass's memory.
    case kept
    /// Of the piece's own memory, bytes a sample.
    case own(offset: Int)
  }

  package enum Action: Sendable {
    /// Makes a step's output again.
    case remake(Int)
    /// Adds up what reaches a step's output, masked.
    case gather(Int)
    /// Has a step's kernel write its inputs' gradients.
    case differentiate(Int)
  }

  package private(set) var actions: [Action] = []
  /// Of each step: where its output is read; offsets of its gradient, of what is added up to that, and of the gradients
  /// of its inputs.
  package private(set) var outputs: [Place?]
  package private(set) var gradients: [Int]
  package private(set) var sources: [[Int]]
  package private(set) var inputGradients: [[Int?]]
  /// Where the loss's gradient is put.
  package private(set) var lossGradient = 0
  /// Of a sample.
  package private(set) var bytes = 0

  /// From the loss at `output`, after a pass that `memory` was planned for. Nil where that keeps too little, since a
  /// layer before the first one that trains needs it.
  package init?(_ program: Program, output: Int, memory: MemoryPlan) {
    let count = program.steps.count
    outputs = Array(repeating: nil, count: count)
    gradients = Array(repeating: 0, count: count)
    sources = Array(repeating: [], count: count)
    inputGradients = Array(repeating: [], count: count)
    var planner = Planner(program, memory: memory)
    guard planner.plan(from: program.roots[output]) else { return nil }
    let packed = planner.slots.pack(resolution: 1)
    actions = planner.actions
    outputs = planner.outputs.map { output in
      switch output {
      case .slot(let slot): .own(offset: packed.offsets[slot])
      case .place(let place): place
      case nil: nil
      }
    }
    gradients = planner.gradients.map { $0.map { packed.offsets[$0] } ?? 0 }
    sources = planner.sources.map { $0.map { packed.offsets[$0.slot] } }
    inputGradients = planner.inputGradients.map { $0.map { $0.map { packed.offsets[$0] } } }
    lossGradient = packed.offsets[planner.lossGradient]
    bytes = packed.size
  }

  private struct Planner {
    enum Output {
      case slot(Int)
      case place(Place)
    }
    /// What meets at an output: from a loss, or a reader; it may become their sum where nobody else reads it.
    struct Source {
      var slot: Int
      var isOwn: Bool
    }

    let program: Program
    let memory: MemoryPlan
    var slots = SlotTable()
    var actions: [Action] = []
    var outputs: [Output?]
    var gradients: [Int?]
    var sources: [[Source]]
    var inputGradients: [[Int?]]
    var lossGradient = 0
    private var isReached: [Bool]
    /// Whether the training pass goes back through a step, and so keeps what that needs.
    private var trains: [Bool] = []
    private var time = 0

    init(_ program: Program, memory: MemoryPlan) {
      self.program = program
      self.memory = memory
      let count = program.steps.count
      outputs = Array(repeating: nil, count: count)
      gradients = Array(repeating: nil, count: count)
      sources = Array(repeating: [], count: count)
      inputGradients = Array(repeating: [], count: count)
      isReached = Array(repeating: false, count: count)
      for (index, step) in program.steps.enumerated() {
        trains.append(index > 0 && (program.trains(index) || step.inputs.contains { [trains] in trains[$0] }))
      }
    }

    mutating func plan(from output: Int) -> Bool {
      lossGradient = slots.add(bytes: program.steps[output].output.bytes, at: 0)
      sources[output].append(Source(slot: lossGradient, isOwn: true))
      isReached[output] = true
      for step in program.steps.indices.reversed() where isReached[step] && !program.steps[step].isView {
        for input in program.steps[step].inputs.indices { isReached[program.source(step, input)] = true }
        guard gather(step), step == 0 || differentiate(step) else { return false }
      }
      return isReached[0]
    }

    private mutating func gather(_ step: Int) -> Bool {
      if step > 0, program.steps[step].operator.endsInReLU {
        guard trains[step], makeReadable(step) else { return false }
      }
      time += 1
      let own = sources[step].firstIndex { $0.isOwn }
      let gradient = own.map { sources[step][$0].slot } ?? slots.add(bytes: program.steps[step].output.bytes, at: time)
      // The sum goes over its own source, which the kernel allows for the first three: later ones it has not read yet.
      if let own, own > 2 { sources[step].swapAt(0, own) }
      for source in sources[step] { slots.use(source.slot, at: time) }
      read(step)
      gradients[step] = gradient
      actions.append(.gather(step))
      return true
    }

    private mutating func differentiate(_ step: Int) -> Bool {
      let kind = program.steps[step].operator
      let passed = kind.passesGradient(of: program.inputs(of: step), output: program.steps[step].output)
      let inputs = program.steps[step].inputs.indices
      // Constants take nothing but the gradient.
      let reads = kind.scope == .statistics ? .none : kind.backwardReads
      let runs = inputs.contains { !passed.contains($0) }
      var values = reads.inputs.map { program.source(step, $0) }
      if reads.output { values.append(step) }
      for value in values where runs { guard trains[step], makeReadable(value) else { return false } }
      time += 1
      for value in values where runs { read(value) }
      slots.use(gradients[step]!, at: time)
      for input in inputs {
        let source = program.source(step, input)
        guard !passed.contains(input) else {
          inputGradients[step].append(nil)
          sources[source].append(Source(slot: gradients[step]!, isOwn: false))
          continue
        }
        let slot = slots.add(bytes: program.steps[source].output.bytes, at: time)
        inputGradients[step].append(slot)
        sources[source].append(Source(slot: slot, isOwn: true))
      }
      if runs { actions.append(.differentiate(step)) }
      return true
    }

    /// Has `step`'s output where it can be read from now on.
    private mutating func makeReadable(_ step: Int) -> Bool {
      guard outputs[step] == nil else { return true }
      switch memory.steps[step].output {
      case .input:
        outputs[step] = .place(.images)
        return true
      case .batch:
        outputs[step] = .place(.kept)
        return true
      case .piece where memory.steps[step].remade != nil:
        let inputs = program.steps[step].inputs.indices.map { program.source(step, $0) }
        for input in inputs { guard makeReadable(input) else { return false } }
        time += 1
        for input in inputs { read(input) }
        outputs[step] = .slot(slots.add(bytes: program.steps[step].output.bytes, at: time))
        actions.append(.remake(step))
        return true
      case .piece, nil: return false
      }
    }

    private mutating func read(_ step: Int) { if case .slot(let slot)? = outputs[step] { slots.use(slot, at: time) } }
  }
}
