/// Where every intermediate of a program lies, in bytes per sample: an offset times the samples is its place, so one
/// plan serves every batch size. What is not needed any more gives its place to what comes later.
///
/// There are two blocks. What lives within one stage of the `PieceSchedule` needs memory for one piece only; the rest,
/// for the whole batch. An output that the backward pass reads, that no other stage does, and that a pass over memory
/// makes from kept ones (`Operator.isCheap`) is not kept: the backward pass makes it again, piece by piece.
package struct MemoryPlan: Sendable {
  package enum Place: Hashable, Sendable {
    /// The caller's images.
    case input
    case batch(offset: Int)
    case piece(offset: Int)
  }

  package struct StepPlaces: Sendable {
    package var output: Place?
    /// Where the backward pass makes the output again.
    package var remade: Place?
    /// The sum of what reaches the output, masked.
    package var gradient: Place?
    /// What the step's kernel writes for each input; nil where nobody wants it or the gradient is passed on.
    package var inputGradients: [Place?] = []
    /// What meets at the output: from its readers, last first, and then from a loss.
    package var sources: [Place] = []
    /// The losses that put a gradient in at the output, by their numbers in `lossGradients`.
    package var losses: [Int] = []
    /// The step whose kernel writes the last of the sources; it may gather them itself.
    package var lastSource: Int?
    /// Whether the kernel has anything to do in the backward pass.
    package var runsBackward = false
  }

  /// What a program is run for.
  package struct Purpose: Sendable {
    /// Steps at whose outputs a loss puts a gradient in, one twice where two losses do; none: no backward pass.
    package var lossInputs: [Int]
    package var wantsInputGradient: Bool
    package var wantsParameterGradients: Bool

    package init(lossInputs: [Int] = [], wantsInputGradient: Bool = false, wantsParameterGradients: Bool = false) {
      self.lossInputs = lossInputs
      self.wantsInputGradient = wantsInputGradient
      self.wantsParameterGradients = wantsParameterGradients
    }
  }

  package private(set) var steps: [StepPlaces]
  /// Where each loss writes its gradient, in the order of `Purpose.lossInputs`.
  package private(set) var lossGradients: [Place]
  /// Of each stage, the steps that its backward turn makes again, in the order of the program.
  package private(set) var remakes: [[Int]]
  /// Bytes of a sample of the batch, and of a sample of a piece.
  package private(set) var batchBytes = 0
  package private(set) var pieceBytes = 0

  package init(_ program: Program, schedule: PieceSchedule, kept: [Int], purpose: Purpose) {
    var planner = MemoryPlanner(program, schedule: schedule, kept: kept, purpose: purpose)
    planner.plan()
    let places = planner.places()
    steps = places.steps
    lossGradients = places.lossGradients
    remakes = planner.remakes
    batchBytes = planner.batchSize
    pieceBytes = planner.pieceSize
  }
}
