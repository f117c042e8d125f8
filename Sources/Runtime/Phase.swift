/// What a rank is doing: the parts of a step in the order in which they run, then the rest of a run.
package enum Phase: Int, CaseIterable, Sendable {
  /// Waiting for the batch.
  case data
  case student, refinement, target, backward
  /// Into fixed point, over the ranks, and back.
  case reduction
  case optimizer
  /// Records and the console.
  case records
  /// Waiting for the other ranks, outside a step's reduction.
  case exchange
  case evaluation, save
  /// Before the first step, and after the last.
  case start, end

  /// The parts of a step.
  package static let ofStep: [Phase] = [.data, .student, .refinement, .target, .backward, .reduction, .optimizer]

  /// Here a rank waits for others, and is not itself late.
  package var waits: Bool { self == .reduction || self == .exchange }

  /// Seconds that it may take in any case, since they do not depend on the model: reading data, a busy disk, leaving.
  package var leastLimit: Double {
    switch self {
    case .start, .save, .records: 600
    case .end: 60
    default: 0
    }
  }
}
