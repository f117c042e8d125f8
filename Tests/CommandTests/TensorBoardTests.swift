import Foundation
import TestSupport
import Testing

@Suite(.serialized, .timeLimit(.minutes(2))) struct TensorBoardTests {
  @Test func `the event file holds the numbers of the records, each once, over a resume`() throws {
    let tiny = try TinyRun()
    let settings = ["logging.tensorboard=true"]
    try tiny.train(settings + ["training.max_steps=7"]).expect(0)
    try tiny.train(settings, resume: "auto").expect(0)
    let file = tiny.path("run/events.out.tfevents.0000000000.icp")
    let size = try Data(contentsOf: URL(filePath: file)).count
    #expect(size > 1000)
    try tiny.train(["training.max_steps=1"], into: "without").expect(0)
    #expect(!FileManager.default.fileExists(atPath: tiny.path("without/events.out.tfevents.0000000000.icp")))

    let python = ProcessInfo.processInfo.environment["ICP_PYTHON"] ?? "python3"
    guard (try? Program.run(executable: python, ["-c", "import tensorboard"], timeLimit: 60))?.status == 0 else {
      print("SKIPPED: no Python with tensorboard (set ICP_PYTHON): no event file was read by TensorBoard")
      return
    }
    let script = """
      import sys, json
      from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
      events = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0}).Reload()
      print(json.dumps({tag: [[e.step, e.value, e.wall_time] for e in events.Scalars(tag)] for tag in events.Tags()["scalars"]}))
      """
    let outcome = try Program.run(executable: python, ["-c", script, tiny.path("run")], timeLimit: 90)
    try #require(outcome.status == 0, "\(outcome.standardError)")
    let found = try #require(
      try JSONSerialization.jsonObject(with: Data(outcome.standardOutput.utf8)) as? [String: [[Double]]])
    var expected: [String: [(Double, Double)]] = [:]
    for record in try tiny.records() {
      for (name, value) in record.values where !["kind", "step", "epoch"].contains(name) {
        guard let number = value as? Double else { continue }
        expected["\(record.kind)/\(name)", default: []].append((Double(record.step), number))
      }
    }
    #expect(Set(found.keys) == Set(expected.keys) && found["step/task_loss"]?.count == 20)
    let now = Date().timeIntervalSince1970
    for (tag, values) in expected {
      let own = try #require(found[tag])
      #expect(own.map { $0[0] } == values.map(\.0), "\(tag)")
      #expect(zip(own, values).allSatisfy { Float($0[1]) == Float($1.1) }, "\(tag)")
      #expect(own.allSatisfy { now - 120 < $0[2] && $0[2] <= now })
    }
  }
}
