import Graph
import Kernels
import Testing

/// Plans of random programs, run with a word in the place of every value that says what was written there: whatever a
/// pass reads is what it wrote for that, and nothing that came later.
@Suite struct `Memory as a pass uses it` {
  @Test(
    arguments: 0..<60, [MemoryPlan.Purpose(), .init(wantsParameterGradients: true), .init(wantsInputGradient: true)])
  func `holds what is read, when it is read`(seed: Int, purpose: MemoryPlan.Purpose) {
    let (program, kept) = Self.randomProgram(seed)
    var purpose = purpose
    if purpose.wantsParameterGradients || purpose.wantsInputGradient { purpose.lossInputs = kept }
    var pass = SymbolicPass(program, kept: kept, purpose: purpose)
    pass.run()
    #expect(pass.wrong.isEmpty, "\(pass.wrong.prefix(3)) in \(program.steps.map { ($0.operator.kind, $0.inputs) })")
    #expect(pass.reads > program.steps.count)
  }

  @Test func `a plan that were wrong would be found`() {
    let (program, kept) = Self.randomProgram(1)
    var pass = SymbolicPass(
      program, kept: kept, purpose: .init(lossInputs: kept, wantsParameterGradients: true), offset: { $0 == 0 ? 0 : 64 }
    )
    pass.run()
    #expect(!pass.wrong.isEmpty)
  }

  /// Up to twelve steps of every scope, each of one or two earlier values, mostly the latest; the last one is kept, and
  /// sometimes another.
  private static func randomProgram(_ seed: Int) -> (Program, kept: [Int]) {
    var stream = RandomStream(seed: seed, purpose: .test)
    var sizes = [16]
    var steps: [Program.Step] = []
    func step(_ kind: any Operator, _ inputs: [Int], _ size: Int) -> Program.Step {
      let value = Value(SampleShape(size), order: .rowMajor(1))
      return Program.Step(name: "\(steps.count)", operator: kind, inputs: inputs, output: value, isView: false)
    }
    steps.append(step(Input(SampleShape(16)), [], 16))
    for _ in 0..<3 + stream.integer(below: 10) {
      let latest = steps.count - 1
      let first = stream.integer(below: 3) > 0 ? latest : stream.integer(below: steps.count)
      let second = stream.integer(below: steps.count)
      var inputs = first == second || stream.integer(below: 2) == 0 ? [first] : [first, second]
      var size = sizes[first]
      var kind: Planned
      switch stream.integer(below: 6) {
      case 0:
        kind = .convolution
        inputs = [first]
        size = [16, 32, 48][stream.integer(below: 3)]
      case 1: kind = .normalization
      case 2:
        kind = .dense
        inputs = [first]
      case 3: kind = Planned(kind: "slope", backwardReads: .output, isCheap: true, endsInReLU: true)
      case 4:
        kind = Planned(kind: "product", backwardReads: Operands(inputs: Set(inputs.indices)), isCheap: true)
      default: kind = Planned(kind: "sum", passed: inputs.indices.filter { sizes[inputs[$0]] == size })
      }
      steps.append(step(kind, inputs, size))
      sizes.append(size)
    }
    let last = steps.count - 1
    let other = stream.integer(below: steps.count)
    let kept = other > 0 && other < last ? [last, other] : [last]
    return (Program(steps: steps, kept: Dictionary(uniqueKeysWithValues: kept.map { ($0, $0) })), kept)
  }
}

/// A pass over three samples in pieces of one, in the order that `Pass` runs it. Words of 64 bytes.
private struct SymbolicPass {
  private enum Word: Hashable {
    case output(Int, piece: Int)
    case loss(Int, piece: Int)
    /// Of a step's output; of an input of a step, as its kernel writes it.
    case gradient(Int, piece: Int)
    case inputGradient(Int, Int, piece: Int)
  }

  private let program: Program
  private let kept: [Int]
  private let purpose: MemoryPlan.Purpose
  private let schedule: PieceSchedule
  private let plan: MemoryPlan
  /// Moves places, so that a plan is wrong.
  private let offset: (Int) -> Int
  private let pieces = [0, 1, 2]
  private var batch: [Int: Word] = [:]
  private var piece: [Int: Word] = [:]
  private(set) var wrong: [String] = []
  private(set) var reads = 0

  init(
    _ program: Program, kept: [Int], purpose: MemoryPlan.Purpose, offset: @escaping (Int) -> Int = { $0 }
  ) {
    self.program = program
    self.kept = kept
    self.purpose = purpose
    self.offset = offset
    schedule = PieceSchedule(program, kept: kept)
    plan = MemoryPlan(program, schedule: schedule, kept: kept, purpose: purpose)
  }

  mutating func run() {
    for stage in schedule.stages {
      for group in turns(stage) {
        for action in stage.actions {
          for piece in group {
            for source in sources(action.step).prefix(action.kind == .measure ? 1 : .max) { readOutput(source, piece) }
            if action.kind == .forward {
              write(.output(action.step, piece: piece), plan.steps[action.step].output, action.step, piece)
            }
          }
        }
      }
    }
    guard !purpose.lossInputs.isEmpty else { return lookAtKept() }
    for step in purpose.lossInputs {
      for piece in pieces { write(.loss(step, piece: piece), plan.steps[step].lossGradient, step, piece) }
    }
    lookAtKept()
    for (number, stage) in schedule.stages.enumerated().reversed() {
      for group in turns(stage) { for piece in group { remake(number, piece) }; turnBack(stage, group) }
    }
    if purpose.wantsInputGradient { for piece in pieces { gather(0, piece) } }
    lookAtKept()
  }

  private func turns(_ stage: PieceSchedule.Stage) -> [[Int]] { stage.isWhole ? [pieces] : pieces.map { [$0] } }

  private mutating func lookAtKept() {
    for step in kept { for piece in pieces { read(.output(step, piece: piece), plan.steps[step].output, step, piece) } }
  }

  private mutating func remake(_ stage: Int, _ piece: Int) {
    for step in plan.remakes[stage] {
      for source in sources(step) { readOutput(source, piece, backward: true) }
      write(.output(step, piece: piece), plan.steps[step].remade, step, piece)
    }
  }

  private mutating func turnBack(_ stage: PieceSchedule.Stage, _ group: [Int]) {
    for action in stage.actions.reversed() where hasGradient(action.step) {
      let step = action.step
      let isMeasured = program.steps[step].operator.scope == .statistics
      for piece in group {
        if action.kind == .forward { gather(step, piece) }
        // Once for its sums, and once they are known.
        if isMeasured || action.kind == .forward { readForBackward(step, piece) }
        if isMeasured == (action.kind == .measure) { differentiate(step, piece) }
      }
    }
  }

  /// The sum of what reaches a step's output.
  private mutating func gather(_ step: Int, _ piece: Int) {
    let words = arriving(step, piece)
    let places = plan.steps[step].sources
    let fromReaders = words.filter { if case .loss = $0 { false } else { true } }
    if places.count != fromReaders.count { wrong.append("step \(step) has \(places.count) sources of \(words)") }
    for (word, place) in zip(fromReaders, places) { read(word, place, step, piece) }
    if purpose.lossInputs.contains(step) { read(.loss(step, piece: piece), plan.steps[step].lossGradient, step, piece) }
    if program.steps[step].operator.endsInReLU { readOutput(step, piece, backward: true) }
    write(gradient(step, piece), plan.steps[step].gradient, step, piece)
  }

  private mutating func readForBackward(_ step: Int, _ piece: Int) {
    guard plan.steps[step].runsBackward else { return }
    let kind = program.steps[step].operator
    var operands = kind.backwardReads
    if purpose.wantsParameterGradients, program.hasParameters(step) { operands = operands.union(kind.parameterReads) }
    for input in operands.inputs { readOutput(program.source(step, input), piece, backward: true) }
    if operands.output { readOutput(step, piece, backward: true) }
    read(gradient(step, piece), plan.steps[step].gradient, step, piece)
  }

  private mutating func differentiate(_ step: Int, _ piece: Int) {
    guard plan.steps[step].runsBackward else { return }
    for (input, place) in plan.steps[step].inputGradients.enumerated() {
      guard let place else { continue }
      write(.inputGradient(step, input, piece: piece), place, program.source(step, input), piece)
    }
  }

  // MARK: What a pass has to do, by the program alone

  private func sources(_ step: Int) -> [Int] { program.steps[step].inputs }

  private func isReached(_ step: Int) -> Bool {
    purpose.lossInputs.contains(step)
      || program.steps.indices.contains { sources($0).contains(step) && isReached($0) && isWanted($0) }
  }

  private func isWanted(_ step: Int) -> Bool {
    step == 0
      ? purpose.wantsInputGradient
      : purpose.wantsParameterGradients && program.hasParameters(step) || sources(step).contains(where: isWanted)
  }

  private func hasGradient(_ step: Int) -> Bool { isReached(step) && isWanted(step) }

  private func passes(_ step: Int, _ input: Int) -> Bool {
    (program.steps[step].operator as? Planned)?.passed.contains(input) ?? false
  }

  /// What meets at a step's output: from its readers, last first, and from a loss.
  private func arriving(_ step: Int, _ piece: Int) -> [Word] {
    program.steps.indices.reversed().filter(hasGradient).flatMap { reader in
      sources(reader).indices.filter { sources(reader)[$0] == step }.map {
        passes(reader, $0) ? gradient(reader, piece) : .inputGradient(reader, $0, piece: piece)
      }
    } + (purpose.lossInputs.contains(step) ? [.loss(step, piece: piece)] : [])
  }

  /// Where one thing alone arrives and nothing is masked, the gradient is that.
  private func gradient(_ step: Int, _ piece: Int) -> Word {
    let words = arriving(step, piece)
    return words.count == 1 && !program.steps[step].operator.endsInReLU ? words[0] : .gradient(step, piece: piece)
  }

  // MARK: Memory

  private mutating func readOutput(_ step: Int, _ piece: Int, backward: Bool = false) {
    let places = plan.steps[step]
    read(.output(step, piece: piece), backward ? places.remade ?? places.output : places.output, step, piece)
  }

  /// The 64-byte words of a step's value, of one piece.
  private func words(_ offset: Int, _ step: Int, _ piece: Int?) -> Range<Int> {
    let size = program.steps[step].output.bytes / 64
    let start = self.offset(offset) / 64 * (piece == nil ? 1 : pieces.count) + (piece ?? 0) * size
    return start..<start + size
  }

  private mutating func read(_ word: Word, _ place: MemoryPlan.Place?, _ step: Int, _ at: Int) {
    reads += 1
    switch place {
    case .input: if step != 0 { wrong.append("\(word) where the images are") }
    case .batch(let offset):
      for index in words(offset, step, at) where batch[index] != word {
        wrong.append("\(word) is \(batch[index] as Any)")
      }
    case .piece(let offset):
      for index in words(offset, step, nil) where piece[index] != word {
        wrong.append("\(word) is \(piece[index] as Any)")
      }
    case nil: wrong.append("\(word) has no place")
    }
  }

  private mutating func write(_ word: Word, _ place: MemoryPlan.Place?, _ step: Int, _ at: Int) {
    switch place {
    case .batch(let offset): for index in words(offset, step, at) { batch[index] = word }
    case .piece(let offset): for index in words(offset, step, nil) { piece[index] = word }
    case .input, nil: wrong.append("\(word) has no place")
    }
  }
}
