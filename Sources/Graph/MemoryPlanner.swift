/// Makes a `MemoryPlan`: finds out when each intermediate is in use, decides which block it lies in, and packs the
/// blocks.
///
/// Times count the schedule's actions: stage by stage forward, then from the end back. Pieces take turns within a
/// stage, so memory for the whole batch is in use from the first stage that touches it to the end of the last one;
/// memory for a piece, from action to action.
struct MemoryPlanner {
  typealias Purpose = MemoryPlan.Purpose

  /// A place before packing.
  private enum Draft: Hashable {
    case input
    case batch(Int)
    case piece(Int)
  }

  private struct Plan {
    var output: Draft?
    var remade: Draft?
    var gradient: Draft?
    var inputGradients: [Draft?] = []
    var sources: [Draft] = []
    var losses: [Int] = []
    var lastSource: Int?
    var runsBackward = false
  }

  private let program: Program
  private let schedule: PieceSchedule
  private let kept: Set<Int>
  private let purpose: Purpose

  private var plans: [Plan]
  private var lossGradients: [Draft] = []
  private var batch = SlotTable()
  private var piece = SlotTable()
  private var batchOffsets: [Int] = []
  private var pieceOffsets: [Int] = []
  private(set) var batchSize = 0
  private(set) var pieceSize = 0
  private(set) var remakes: [[Int]]

  /// Whether a gradient reaches a step and somebody wants it.
  private var hasGradient: [Bool]
  /// When a step's output is made, and when it is read forward.
  private var made: [Int]
  private var read: [[Int]]
  /// When a step's gradient is gathered, and when its kernel runs backward.
  private var gathered: [Int]
  private var differentiated: [Int]
  /// When the backward pass reads a step's output.
  private var readBackward: [[Int]]

  /// Times of a stage: more than it has actions.
  private static let stageLength = 1 << 20

  init(_ program: Program, schedule: PieceSchedule, kept: [Int], purpose: Purpose) {
    self.program = program
    self.schedule = schedule
    self.kept = Set(kept.map { program.roots[$0] })
    self.purpose = purpose
    let count = program.steps.count
    plans = Array(repeating: Plan(), count: count)
    remakes = Array(repeating: [], count: schedule.stages.count)
    hasGradient = Array(repeating: false, count: count)
    made = Array(repeating: 0, count: count)
    gathered = made
    differentiated = made
    read = Array(repeating: [], count: count)
    readBackward = read
  }

  private var end: Int { 2 * schedule.stages.count * Self.stageLength }
  private func stage(_ time: Int) -> Int { time / Self.stageLength }
  private func backwardStage(of stage: Int) -> Int { 2 * schedule.stages.count - 1 - stage }
  private var runsBackward: Bool { !purpose.lossInputs.isEmpty }

  mutating func plan() {
    findTimes()
    findGradients()
    findBackwardReads()
    placeOutputs()
    if runsBackward { placeGradients() }
    let packedBatch = batch.pack(resolution: Self.stageLength)
    let packedPiece = piece.pack(resolution: 1)
    batchOffsets = packedBatch.offsets
    batchSize = packedBatch.size
    pieceOffsets = packedPiece.offsets
    pieceSize = packedPiece.size
  }

  // MARK: Times

  private mutating func findTimes() {
    for (number, stage) in schedule.stages.enumerated() {
      for (place, action) in stage.actions.enumerated() {
        let forward = number * Self.stageLength + place
        // After what the backward turn makes again, which takes at most as many times as there are actions.
        let backward =
          backwardStage(of: number) * Self.stageLength + 2 * stage.actions.count - place
        let step = action.step
        let inputs = program.steps[step].inputs.indices
        switch action.kind {
        case .measure:
          read[program.source(step, 0)].append(forward)
          differentiated[step] = backward
        case .forward:
          made[step] = forward
          for input in inputs { read[program.source(step, input)].append(forward) }
          gathered[step] = backward
          if program.steps[step].operator.scope != .statistics { differentiated[step] = backward }
        }
      }
    }
    // The input's gradient is gathered at the very end.
    gathered[0] = end - 1
  }

  private mutating func findGradients() {
    guard runsBackward else { return }
    var isWanted = program.steps.map { _ in false }
    isWanted[0] = purpose.wantsInputGradient
    for step in program.steps.indices.dropFirst() {
      isWanted[step] =
        program.steps[step].inputs.contains { isWanted[$0] }
        || purpose.wantsParameterGradients && program.trains(step)
    }
    var isReached = program.steps.map { _ in false }
    for input in purpose.lossInputs { isReached[program.roots[input]] = true }
    for step in program.steps.indices.reversed() where isReached[step] && isWanted[step] {
      hasGradient[step] = true
      for input in program.steps[step].inputs { isReached[program.roots[input]] = true }
    }
  }

  private mutating func findBackwardReads() {
    for step in program.steps.indices.dropFirst() where hasGradient[step] && !program.steps[step].isView {
      let kind = program.steps[step].operator
      var reads = kind.backwardReads
      if purpose.wantsParameterGradients, program.trains(step) { reads = reads.union(kind.parameterReads) }
      // What a step of statistics reads it reads twice, as it gathers and as it differentiates.
      let times = Set([gathered[step], differentiated[step]])
      for input in reads.inputs { readBackward[program.source(step, input)] += times }
      if reads.output { readBackward[step] += times }
      if kind.endsInReLU { readBackward[step].append(gathered[step]) }
    }
  }

  // MARK: Outputs

  private mutating func placeOutputs() {
    plans[0].output = .input
    for step in program.steps.indices.dropFirst() where !program.steps[step].isView && schedule.producer[step] >= 0 {
      let bytes = program.steps[step].output.bytes
      let home = schedule.producer[step]
      let staysInStage =
        !kept.contains(step) && !schedule.stages[home].isWhole && read[step].allSatisfy { stage($0) == home }
      if staysInStage, readBackward[step].isEmpty {
        plans[step].output = newPiece(bytes, made[step], read[step])
      } else if staysInStage, canRemake(step) {
        plans[step].output = newPiece(bytes, made[step], read[step])
        let turn = backwardStage(of: home) * Self.stageLength
        // Before all of the turn's backward actions, in the order of the program.
        let time = turn + remakes[home].count
        plans[step].remade = newPiece(bytes, time, readBackward[step])
        for input in program.steps[step].inputs.indices { use(outputInBackward(program.source(step, input)), at: time) }
        remakes[home].append(step)
      } else {
        let slot = batch.add(bytes: bytes, at: made[step])
        for time in read[step] + readBackward[step] { batch.use(slot, at: time) }
        // The caller may look at it until the next pass.
        if kept.contains(step) { batch.use(slot, at: end) }
        plans[step].output = .batch(slot)
      }
    }
  }

  /// Whether the backward pass can make the output again: it costs a pass over memory, nobody reads it in another
  /// stage's turn, and its inputs are there anyway. A step that was measured has its statistics.
  private func canRemake(_ step: Int) -> Bool {
    let turn = backwardStage(of: schedule.producer[step])
    guard program.steps[step].operator.isCheap, purpose.wantsParameterGradients,
      readBackward[step].allSatisfy({ stage($0) == turn })
    else { return false }
    return program.steps[step].inputs.indices.allSatisfy { input in
      let source = program.source(step, input)
      switch plans[source].output {
      case .input: return true
      case .batch: return kept.contains(source) || !readBackward[source].isEmpty
      case .piece: return plans[source].remade != nil && schedule.producer[source] == schedule.producer[step]
      case nil: return false
      }
    }
  }

  private func outputInBackward(_ step: Int) -> Draft { plans[step].remade ?? plans[step].output! }

  // MARK: Gradients

  private mutating func placeGradients() {
    for (number, input) in purpose.lossInputs.enumerated() {
      let step = program.roots[input]
      // Losses write it when the forward pass has ended.
      let slot = batch.add(bytes: program.steps[step].output.bytes, at: end / 2)
      batch.use(slot, at: gathered[step])
      lossGradients.append(.batch(slot))
      plans[step].losses.append(number)
    }
    for step in program.steps.indices.reversed() where hasGradient[step] && !program.steps[step].isView {
      placeGradient(of: step)
      guard step > 0 else { continue }
      placeInputGradients(of: step)
    }
  }

  /// The gradient takes the first source's place where nobody reads that any more, or where there is nothing to add to
  /// it.
  private mutating func placeGradient(of step: Int) {
    let kind = program.steps[step].operator
    let passed = step == 0 ? [] : passedInputs(of: step)
    plans[step].runsBackward =
      step > 0
      && (program.steps[step].inputs.indices.contains {
        wantsGradient(program.source(step, $0)) && !passed.contains($0)
      }
        || purpose.wantsParameterGradients && program.trains(step))
    var uses = [gathered[step]]
    if plans[step].runsBackward { uses.append(differentiated[step]) }
    uses += passed.map { gathered[program.source(step, $0)] }
    let staysInStage =
      step > 0 && uses.allSatisfy { stage($0) == stage(gathered[step]) }
      && !schedule.stages[schedule.producer[step]].isWhole

    let sources = plans[step].sources
    if let first = sources.first, canTake(first, for: step, staysInStage: staysInStage, kind) {
      plans[step].gradient = first
      for time in uses { use(first, at: time) }
    } else if staysInStage {
      plans[step].gradient = newPiece(program.steps[step].output.bytes, gathered[step], uses)
    } else {
      let slot = batch.add(bytes: program.steps[step].output.bytes, at: gathered[step])
      for time in uses { batch.use(slot, at: time) }
      if step == 0 { batch.use(slot, at: end) }
      plans[step].gradient = .batch(slot)
    }
    for source in sources { use(source, at: gathered[step]) }
  }

  private func canTake(_ source: Draft, for step: Int, staysInStage: Bool, _ kind: any Operator) -> Bool {
    let isOnlySource = plans[step].sources.count == 1
    let isUnchanged = isOnlySource && plans[step].losses.isEmpty && !kind.endsInReLU
    // A place that the only reader's kernel writes for this step alone; or one that nobody uses any more, from when on
    // it is
    // written: a reader may gather as it writes its own part.
    let isOwn = isOnlySource && plans[step].lastSource != nil
    let time = plans[step].lastSource.map { differentiated[$0] } ?? gathered[step]
    func isFree(_ uses: [Int]) -> Bool { isUnchanged || isOwn || uses.allSatisfy { $0 < time || $0 == gathered[step] } }
    switch source {
    case .input: return false
    case .batch(let slot): return isFree(batch.slots[slot].uses)
    case .piece(let slot): return staysInStage && isFree(piece.slots[slot].uses)
    }
  }

  private mutating func placeInputGradients(of step: Int) {
    let passed = passedInputs(of: step)
    for input in program.steps[step].inputs.indices {
      let source = program.source(step, input)
      guard wantsGradient(source) else {
        plans[step].inputGradients.append(nil)
        continue
      }
      if passed.contains(input) {
        plans[step].inputGradients.append(nil)
        plans[source].sources.append(plans[step].gradient!)
        plans[source].lastSource = nil
        continue
      }
      let bytes = program.steps[source].output.bytes
      let times = [differentiated[step], gathered[source]]
      let isWhole = schedule.stages[schedule.home[step]].isWhole
      let draft: Draft
      if source > 0, !isWhole, stage(times[0]) == stage(times[1]) {
        draft = newPiece(bytes, times[0], times)
      } else {
        let slot = batch.add(bytes: bytes, at: times[0])
        batch.use(slot, at: times[1])
        if source == 0 { batch.use(slot, at: end) }
        draft = .batch(slot)
      }
      plans[step].inputGradients.append(draft)
      plans[source].sources.append(draft)
      plans[source].lastSource = step
    }
  }

  private func wantsGradient(_ step: Int) -> Bool { hasGradient[step] }

  private func passedInputs(of step: Int) -> [Int] {
    program.steps[step].operator.passesGradient(of: program.inputs(of: step), output: program.steps[step].output)
  }

  // MARK: Slots

  private mutating func newPiece(_ bytes: Int, _ time: Int, _ uses: [Int]) -> Draft {
    let slot = piece.add(bytes: bytes, at: time)
    for use in uses { piece.use(slot, at: use) }
    return .piece(slot)
  }

  private mutating func use(_ draft: Draft, at time: Int) {
    switch draft {
    case .input: break
    case .batch(let slot): batch.use(slot, at: time)
    case .piece(let slot): piece.use(slot, at: time)
    }
  }

  /// The plan's places, once it is packed.
  func places() -> (steps: [MemoryPlan.StepPlaces], lossGradients: [MemoryPlan.Place]) {
    func place(_ draft: Draft) -> MemoryPlan.Place {
      switch draft {
      case .input: .input
      case .batch(let slot): .batch(offset: batchOffsets[slot])
      case .piece(let slot): .piece(offset: pieceOffsets[slot])
      }
    }
    let steps = plans.map { plan in
      MemoryPlan.StepPlaces(
        output: plan.output.map(place), remade: plan.remade.map(place), gradient: plan.gradient.map(place),
        inputGradients: plan.inputGradients.map { $0.map(place) }, sources: plan.sources.map(place),
        losses: plan.losses, lastSource: plan.lastSource, runsBackward: plan.runsBackward)
    }
    return (steps, lossGradients.map(place))
  }
}
