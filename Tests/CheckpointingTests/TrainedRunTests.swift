import Checkpointing
import Foundation
import TestSupport
import Testing

@Suite struct TrainedRunTests {
  private typealias Support = CheckpointSupport

  /// A run with steps 1 to 3, the second the best, and its path.
  private func withRun(_ body: (String) throws -> Void) throws {
    try Support.withStore { store, run in
      try run.write("data: {format: glyphs}\n", to: RunDirectory.configName)
      for (step, accuracy) in [(1, 0.1), (2, 0.3), (3, 0.2)] {
        _ = try store.save(Support.snapshot(step), step: step, metric: accuracy, higherIsBetter: true)
      }
      try body(run.path)
    }
  }

  private func message(_ path: String, weights: String? = nil, checkpoint: TrainedRun.Checkpoint? = nil) -> String {
    do {
      _ = try TrainedRun(path, weights: weights, checkpoint: checkpoint)
      return "no error"
    } catch { return "\(error)" }
  }

  @Test func `a run is its configuration and its newest checkpoint, and the choice is told`() throws {
    try withRun { run in
      for path in [run, run + "/"] {
        let found = try TrainedRun(path, weights: nil, checkpoint: nil)
        #expect(found.directory == run && found.configuration == "\(run)/config.yaml")
        #expect(found.weights == "\(run)/checkpoints/step-0000003.safetensors")
        #expect(found.notes == ["\(run): takes \(found.weights), the newest (step 3)"])
        #expect(try found == TrainedRun(path, weights: nil, checkpoint: .init("last")))
      }
    }
  }

  @Test func `the best, or any file, is taken where it is asked for`() throws {
    try withRun { run in
      let best = try TrainedRun(run, weights: nil, checkpoint: .init("best"))
      #expect(best.weights == "\(run)/checkpoints/best.safetensors")
      #expect(best.notes == ["\(run): takes \(best.weights), the best (step 2)"])
      let other = try TrainedRun(run, weights: nil, checkpoint: .init("./best"))
      #expect(other.weights == "./best" && other.configuration == "\(run)/config.yaml")
    }
  }

  @Test func `a damaged newest is passed over, with a word`() throws {
    try withRun { run in
      let newest = "\(run)/checkpoints/step-0000003.safetensors"
      try Support.write(Array(try Support.bytes(newest).dropLast(5)), newest)
      let found = try TrainedRun(run, weights: nil, checkpoint: nil)
      #expect(found.weights.hasSuffix("step-0000002.safetensors"))
      #expect(found.notes.count == 2 && found.notes[0].hasPrefix("warning: passed over: \(newest): "))
    }
  }

  @Test func `a configuration is taken with its weights, and what does not go together is refused`() throws {
    try withRun { run in
      let config = "\(run)/config.yaml"
      let pair = try TrainedRun(config, weights: "w", checkpoint: nil)
      #expect(pair.configuration == config && pair.weights == "w" && pair.notes.isEmpty && pair.directory == nil)
      #expect(message(config).contains("a configuration needs --weights FILE; or name a run's directory"))
      #expect(message(config, weights: "w", checkpoint: .best).contains("this is no run's directory"))
      #expect(message(run, weights: "w").contains("choose others with --checkpoint FILE"))
      #expect(message("\(run)/none").contains("no such file or directory"))
      #expect(message("\(run)/checkpoints").contains("is no run's directory: it has no config.yaml"))
      for step in 1...3 {
        try FileManager.default.removeItem(atPath: "\(run)/checkpoints/step-000000\(step).safetensors")
      }
      #expect(message(run).contains("has no checkpoint of a step, but its best: --checkpoint best"))
      try FileManager.default.removeItem(atPath: "\(run)/checkpoints/best.safetensors")
      #expect(message(run, checkpoint: .best).contains("there is no best checkpoint"))
      try FileManager.default.removeItem(atPath: "\(run)/checkpoints")
      #expect(message(run).contains("has no checkpoint yet"))
    }
  }
}
