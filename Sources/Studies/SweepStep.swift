import Files
import Foundation
import MPI
import Runtime

/// What a group of ranks does next.
enum SweepStep {
  /// A run, with what its epochs are times; the lock is the group's first rank's.
  case run(Int, epochsFactor: Double, RunLock?)
  /// All that is left is with others, or waits for them.
  case wait
  case end(SweepEnding)
}

/// How a group came to its end.
enum SweepEnding: Equatable {
  case done, stopped
  /// Something that is not a run's own fault, and would befall the next one too.
  case broken(Int32, String)

  init(status: Int32, text: String) {
    self =
      switch status {
      case 0: .done
      case ExitCode.stopped: .stopped
      default: .broken(status, text)
      }
  }

  var status: Int32 {
    switch self {
    case .done: 0
    case .stopped: ExitCode.stopped
    case .broken(let status, _): status
    }
  }
}

extension SweepStep {
  /// The first rank's, on every rank of the group.
  func shared(with group: Communicator) throws -> SweepStep {
    guard group.size > 1 else { return self }
    let message = Array(JSONText.of(Message(self)).utf8)
    let heard = try JSONDecoder().decode(Message.self, from: Data(try group.broadcast(message)))
    return group.rank == 0 ? self : heard.step
  }

  private struct Message: Codable {
    var index: Int?
    var epochsFactor: Double?
    var ending: Int32?

    init(_ step: SweepStep) {
      switch step {
      case .run(let index, let factor, _): (self.index, epochsFactor) = (index, factor)
      case .wait: break
      case .end(let ending): self.ending = ending.status
      }
    }

    var step: SweepStep {
      if let index, let epochsFactor { return .run(index, epochsFactor: epochsFactor, nil) }
      return ending.map { .end(SweepEnding(status: $0, text: "")) } ?? .wait
    }
  }
}
