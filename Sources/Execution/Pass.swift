import Glibc
import Graph
import Kernels

/// A program for one size of the batch: forward, and backward to its parameters or its input, stage by stage and piece
/// by piece (`PieceSchedule`). Kernels and memory are there from `init` on; a pass allocates nothing.
package final class Pass {
  package let samples: Int
  private let program: Program
  private let schedule: PieceSchedule
  private let plan: MemoryPlan
  private let set: ProgramKernels
  private let pieces: [Piece]
  private let whole: Piece
  private let memory: [StepMemory]
  private let lossGradients: [UnsafeMutableRawPointer]
  /// Of each stage, the steps it measures, and those whose gradients it gathers by their statistics.
  private let measured, finished: [[StepMemory]]
  /// The steps that are measured, in the order in which they run. It is the same in every program that a network is
  /// lowered to for training, whatever conversions lie between.
  private let normalisations: [StepMemory]
  /// How many gradients, from the first of their block on, are final after each stage's part of the backward pass.
  private let gradientEnds: [Int]
  /// Of each stage, parameters that are frozen though their layer trains: its kernel writes gradients for all of it.
  private let frozenParts: [[Range<Int>]]
  /// A pass keeps its memory as long as somebody may look at outputs.
  private let blocks: Blocks

  struct Piece {
    var first, count: Int
    /// Which of a step's kernels.
    var kernel: Int
  }

  /// `blocks` has room for `samples`.
  init(
    _ set: ProgramKernels, schedule: PieceSchedule, plan: MemoryPlan, blocks: Blocks, samples: Int, pieceSize: Int
  ) {
    self.samples = samples
    self.set = set
    self.schedule = schedule
    self.plan = plan
    self.blocks = blocks
    let program = set.program
    self.program = program
    pieces = stride(from: 0, to: samples, by: pieceSize).map { first in
      let count = min(pieceSize, samples - first)
      return Piece(first: first, count: count, kernel: first > 0 && count < pieceSize ? 1 : 0)
    }
    whole = Piece(first: 0, count: samples, kernel: 0)
    let sizes = [pieces[0].count] + (pieces.last!.kernel == 1 ? [pieces.last!.count] : [])
    let inPieces = sizes.map { set.kernels(.sample, samples: $0) }
    let atOnce = set.kernels(.batch, samples: samples)
    let memory = program.steps.indices.map { step in
      var kernels: [(any Kernel)?]
      var statistics: (any StatisticsKernel)?
      switch program.steps[step].operator.scope {
      case .sample: kernels = inPieces.map { $0[step] }
      case .batch: kernels = [atOnce[step]]
      case .statistics:
        statistics = (set.kernel(step, samples: samples) as! any StatisticsKernel)
        kernels = sizes.map { _ in statistics }
      }
      return StepMemory(
        step, of: program, plan: plan, blocks: blocks, samples: samples, kernels: kernels.compactMap { $0 },
        statistics: statistics)
    }
    self.memory = memory
    lossGradients = plan.lossGradients.map { blocks.address($0, samples: samples, bytes: 0).base! }
    measured = schedule.stages.map { $0.measured.map { memory[$0] } }
    normalisations = measured.flatMap(\.self)
    finished = schedule.stages.map { stage in
      stage.actions.filter { $0.kind == .forward && memory[$0.step].statistics != nil }.map { memory[$0.step] }
    }
    let frozenParts = schedule.stages.indices.map { stage in
      program.steps.indices.filter { schedule.home[$0] == stage }.flatMap { program.frozenBesideTrained($0) }
        .map { set.layout.range(of: $0.name) }
    }
    self.frozenParts = frozenParts
    let written = schedule.stages.indices.map { stage in
      program.steps.indices.filter { schedule.home[$0] == stage }.flatMap { program.variables(of: $0) }
        .filter { $0.kind == .parameter }.map { set.layout.range(of: $0.name) } + frozenParts[stage]
    }
    // Up to the first gradient that an earlier stage has still to write. A shortcut whose normalisation ends with the
    // sum of its block runs after the block's layers and lies before them.
    let end = written.joined().map(\.upperBound).max() ?? 0
    gradientEnds = written.indices.map { stage in written[..<stage].joined().map(\.lowerBound).min() ?? end }
    assignGathering()
  }

  /// Finds the kernels that gather for the step they read, where one writes the last source and the sum goes into the
  /// first.
  private func assignGathering() {
    for step in program.steps.indices.dropFirst() where program.steps[step].operator.scope == .sample {
      let places = plan.steps[step]
      guard let reader = places.lastSource, places.losses.isEmpty, let gradient = places.gradient,
        gradient == places.sources.first, program.source(reader, 0) == step,
        !program.steps[reader].inputs.indices.dropFirst().contains(where: { program.source(reader, $0) == step }),
        !memory[reader].maskingKernels.isEmpty,
        memory[reader].maskingKernels.allSatisfy({ places.sources.count - 1 <= $0.maximumOtherSources ?? -1 })
      else { continue }
      memory[reader].gathersFor = memory[step]
      memory[step].isGathered = true
    }
  }

  // MARK: What comes out

  /// The output of a step that is kept, (samples, ...) in its order, valid until the next pass over the same memory.
  func output(_ step: Int) -> UnsafeMutablePointer<Float> { floats(memory[program.roots[step]].output!.base!) }
  /// Of a step whose output lies in memory for the batch: sample `first` of it.
  func value(_ step: Int, from first: Int) -> UnsafeMutableRawPointer {
    let address = memory[step].output!
    return address.base! + first * address.stride
  }
  func statistics(_ step: Int) -> any StatisticsKernel { memory[step].statistics! }
  /// Where a loss writes its gradient, before `backward`: its number in the plan's `Purpose.lossInputs`.
  func lossGradient(_ loss: Int) -> UnsafeMutablePointer<Float> { floats(lossGradients[loss]) }
  /// The gradient of the images, after `backward`.
  var inputGradient: UnsafeMutablePointer<Float> { floats(memory[0].gradient!.base!) }

  private func floats(_ pointer: UnsafeMutableRawPointer) -> UnsafeMutablePointer<Float> {
    pointer.assumingMemoryBound(to: Float.self)
  }

  // MARK: Forward

  /// Runs the program on `images` (samples, height, width, channels). With `other`, a pass of the same network, it is
  /// normalised as that one was, whatever `source` is.
  func forward(
    _ images: UnsafePointer<Float>, parameters: UnsafePointer<Float>, source: StatisticsSource,
    like other: Pass? = nil, randomness: Randomness? = nil
  ) {
    set.pack(.sample, samples: pieces[0].count)
    if pieces.last!.kernel == 1 { set.pack(.sample, samples: pieces.last!.count) }
    set.pack(.batch, samples: samples)
    let operands = Operands(images: images, parameters: parameters, randomness: randomness)
    var normalised = 0
    for (number, stage) in schedule.stages.enumerated() {
      for step in measured[number] { step.statistics!.beginForward(source) }
      if stage.isWhole {
        memory[stage.actions[0].step].kernels[0].forward(arguments(memory[stage.actions[0].step], whole, operands))
      } else {
        for piece in pieces {
          for action in stage.actions {
            let step = memory[action.step]
            switch action.kind {
            case .forward: step.kernels[piece.kernel].forward(arguments(step, piece, operands))
            case .measure:
              if source.measures, other == nil { step.statistics!.measure(arguments(step, piece, operands)) }
            }
          }
        }
      }
      if let other {
        for step in measured[number] {
          step.statistics!.adopt(other.normalisations[normalised].statistics!)
          normalised += 1
        }
      } else {
        for step in measured[number] { step.statistics!.endForward(arguments(step, whole, operands), source) }
      }
    }
  }

  /// What the caller hands in.
  private struct Operands {
    var images: UnsafePointer<Float>
    var parameters: UnsafePointer<Float>
    var gradients: UnsafeMutablePointer<Float>?
    var randomness: Randomness?
  }

  private func arguments(_ step: StepMemory, _ piece: Piece, _ operands: Operands) -> Arguments {
    for input in step.inputs.indices {
      step.x[input] = UnsafeRawPointer(step.inputs[input].at(piece.first, operands.images))
    }
    var arguments = Arguments(
      samples: piece.count, first: piece.first, x: UnsafeBufferPointer(step.x), dx: UnsafeBufferPointer(step.dx),
      parameters: operands.parameters)
    arguments.y = step.output?.at(piece.first, operands.images)
    arguments.randomness = operands.randomness
    return arguments
  }

  // MARK: Backward

  /// The gradients of the loss that gave those gradients, for the images, parameters, statistics and randomness of
  /// the last forward pass; overwrites `gradients`. Only that of loss `onlyFrom` counts where that is given. `final`
  /// hears, stage by stage, how many of the gradients are final, from the first one on.
  func backward(
    _ images: UnsafePointer<Float>, parameters: UnsafePointer<Float>, gradients: UnsafeMutablePointer<Float>?,
    onlyFrom: Int? = nil, randomness: Randomness? = nil, final: (Int) -> Void = { _ in }
  ) {
    let operands = Operands(images: images, parameters: parameters, gradients: gradients, randomness: randomness)
    var done = 0
    for (number, stage) in schedule.stages.enumerated().reversed() {
      for step in measured[number] where step.runsBackward {
        step.statistics!.endBackward(backwardArguments(step, whole, operands))
      }
      for step in finished[number] { step.statistics!.beginBackward() }
      if stage.isWhole {
        turn(number, whole, operands, onlyFrom)
      } else {
        for piece in pieces { turn(number, piece, operands, onlyFrom) }
      }
      guard let gradients else { continue }
      for action in stage.actions
      where action.kind == .forward && memory[action.step].runsBackward && memory[action.step].trains {
        let kernels = memory[action.step].kernels
        kernels[0].writeGradients(into: gradients, adding: false)
        if kernels.count > 1 { kernels[1].writeGradients(into: gradients, adding: true) }
      }
      for range in frozenParts[number] { (gradients + range.lowerBound).update(repeating: 0, count: range.count) }
      if gradientEnds[number] > done {
        done = gradientEnds[number]
        final(done)
      }
    }
    if memory[0].gradient != nil { gather(memory[0], whole, operands, onlyFrom) }
  }

  /// A stage's part of the backward pass for one piece.
  private func turn(_ number: Int, _ piece: Piece, _ operands: Operands, _ onlyFrom: Int?) {
    for step in plan.remakes[number] {
      memory[step].kernels[piece.kernel].forward(backwardArguments(memory[step], piece, operands))
    }
    for action in schedule.stages[number].actions.reversed() {
      let step = memory[action.step]
      guard step.gradient != nil else { continue }
      if action.kind == .forward {
        if step.statistics != nil {
          gatherStatistics(step, piece, operands, onlyFrom)
          continue
        }
        if !step.isGathered { gather(step, piece, operands, onlyFrom) }
      }
      guard step.runsBackward else { continue }
      if let source = step.gathersFor {
        differentiate(step, gatheringFor: source, piece, operands)
      } else {
        step.kernels[piece.kernel].backward(backwardArguments(step, piece, operands))
      }
    }
  }

  private func backwardArguments(_ step: StepMemory, _ piece: Piece, _ operands: Operands) -> Arguments {
    for input in step.inputs.indices {
      step.x[input] = UnsafeRawPointer(step.inputsBackward[input].at(piece.first, operands.images))
      step.dx[input] = step.inputGradients[input]?.at(piece.first, operands.images)
    }
    var arguments = Arguments(
      samples: piece.count, first: piece.first, x: UnsafeBufferPointer(step.x), dx: UnsafeBufferPointer(step.dx),
      parameters: operands.parameters)
    arguments.y = step.outputBackward?.at(piece.first, operands.images)
    arguments.dy = step.gradient.map { UnsafeRawPointer($0.at(piece.first, operands.images)) }
    arguments.gradients = step.trains ? operands.gradients : nil
    arguments.isFirst = piece.first == 0
    // A kernel of a size of its own begins a sum of its own.
    arguments.beginsSum = piece.first == 0 || piece.kernel == 1
    arguments.randomness = operands.randomness
    return arguments
  }

  /// What reaches a step's output, for one piece; nothing where only another loss would reach it.
  private func sources(
    _ step: StepMemory, _ piece: Piece, _ images: UnsafePointer<Float>, _ onlyFrom: Int?
  ) -> GradientSources {
    var count = 0
    for source in step.sources {
      step.gathered[count] = UnsafeRawPointer(source.at(piece.first, images))
      count += 1
    }
    for given in step.lossGradients where onlyFrom == nil || onlyFrom == given.loss {
      step.gathered[count] = UnsafeRawPointer(given.address.at(piece.first, images))
      count += 1
    }
    return GradientSources(rebasing: step.gathered[..<count])
  }

  /// d = the sum of what reaches a step's output, where that is above 0 if it ends in a ReLU.
  private func gather(_ step: StepMemory, _ piece: Piece, _ operands: Operands, _ onlyFrom: Int?) {
    let d = step.gradient!.at(piece.first, operands.images)
    let sources = sources(step, piece, operands.images, onlyFrom)
    let count = piece.count * step.count
    guard !sources.isEmpty else { return clear(d, step, count) }
    Elementwise.mask(step.element, sources: sources, y: mask(step, piece, operands), count: count, into: d)
  }

  private func clear(_ d: UnsafeMutableRawPointer, _ step: StepMemory, _ count: Int) {
    memset(d, 0, count * step.element.bytes)
  }

  private func mask(_ step: StepMemory, _ piece: Piece, _ operands: Operands) -> UnsafeRawPointer? {
    step.isMasked ? UnsafeRawPointer(step.outputBackward!.at(piece.first, operands.images)) : nil
  }

  private func gatherStatistics(_ step: StepMemory, _ piece: Piece, _ operands: Operands, _ onlyFrom: Int?) {
    let d = step.gradient!.at(piece.first, operands.images)
    var sources = sources(step, piece, operands.images, onlyFrom)
    if sources.isEmpty {
      clear(d, step, piece.count * step.count)
      step.gathered[0] = UnsafeRawPointer(d)
      sources = GradientSources(rebasing: step.gathered[..<1])
    }
    step.statistics!.gather(sources, backwardArguments(step, piece, operands), into: d)
  }

  /// The backward pass of `step`, whose kernel adds its part of `source`'s gradient to the others and masks the sum.
  private func differentiate(
    _ step: StepMemory, gatheringFor source: StepMemory, _ piece: Piece, _ operands: Operands
  ) {
    let others = source.sources.count - 1
    for index in 0..<others {
      source.gathered[index] = UnsafeRawPointer(source.sources[index].at(piece.first, operands.images))
    }
    step.maskingKernels[piece.kernel].backward(
      backwardArguments(step, piece, operands), adding: GradientSources(rebasing: source.gathered[..<others]),
      maskedBy: mask(source, piece, operands),
      into: source.gradient!.at(piece.first, operands.images))
  }
}
