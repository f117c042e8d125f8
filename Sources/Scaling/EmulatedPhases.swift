import Files
import Foundation

/// What one rank's steps were measured to take, by phase: slept in the place of the computation, so that many hosts run
/// on a few cores (Gupta et al., "To Infinity and Beyond: Time-Warped Network Emulation", NSDI 2006).
package struct EmulatedPhases: Codable, Sendable {
  /// Seconds of a shard, a step each.
  package struct Step: Codable, Sendable {
    package var data, student, refinement, target, backward, optimizer: Double
  }

  package var kind = "phases"
  package var model: String
  package var refinementSteps: Int
  package var samplesOfShard: Int
  package var steps: [Step]

  /// Of the one-rank points of a weak series; nil of none.
  package init?(_ points: [MeasuredPoint]) {
    let alone = points.filter { $0.record.series == .weak && $0.record.ranks == 1 && $0.record.stretch == 1 }
    let quiet = alone.filter { !$0.record.isDisturbed }
    let chosen = quiet.isEmpty ? alone : quiet
    guard let first = chosen.first else { return nil }
    model = first.record.model
    refinementSteps = first.record.refinementSteps
    samplesOfShard = first.record.batchSize / first.record.shards
    steps = chosen.flatMap { point in
      let shards = Double(point.record.shards)
      return point.steps.map {
        Step(
          data: $0.data, student: $0.student / shards, refinement: $0.refinement / shards,
          target: $0.target / shards, backward: $0.backward / shards, optimizer: $0.optimizer)
      }
    }
  }

  /// Throws: FileError.
  package init(path: String) throws(FileError) {
    let text = try ScalingFolder.read(path)
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    guard let phases = try? decoder.decode(Self.self, from: Data(text.utf8)), !phases.steps.isEmpty,
      phases.steps.allSatisfy({
        [$0.data, $0.student, $0.refinement, $0.target, $0.backward, $0.optimizer].allSatisfy {
          (0...3600).contains($0)
        }
      })
    else {
      throw FileError(path: path, reason: "expected the phases.json of a scaling report, with seconds of 0 to 3600")
    }
    self = phases
  }

  package var text: String { JSONText.of(self, pretty: true, snakeCase: true) }
}
