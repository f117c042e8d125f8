import Foundation
import TestSupport
import Testing

@Suite(.serialized, .timeLimit(.minutes(2))) struct TraceTests {
  private struct Trace: Decodable {
    struct Event: Decodable {
      struct Arguments: Decodable {
        let name: String?
        let step: Int?
      }
      let name: String
      let cat: String?
      let ph: String
      let ts: Double?
      let dur: Double?
      let pid: Int
      let args: Arguments?

      var start: Double { ts! }
      var end: Double { ts! + dur! }
    }
    let traceEvents: [Event]
    let displayTimeUnit: String
    let otherData: [String: String]
  }

  @Test(.ranks) func `phases fill their step, and ranks meet in every reduction`() throws {
    let tiny = try TinyRun()
    let outcome = try tiny.train(["training.max_steps=4"], ranks: 2, more: ["--trace", "2-3"])
    outcome.expect(0)
    #expect(outcome.standardOutput.contains("steps 2 to 3 traced: run/trace.json"))
    let file = try #require(FileManager.default.contents(atPath: tiny.path("run/trace.json")))
    let trace = try JSONDecoder().decode(Trace.self, from: file)
    #expect(trace.displayTimeUnit == "ms")
    #expect(trace.otherData["clock_uncertainty_us"] == "0.0", "both ranks read one clock")
    let names = trace.traceEvents.filter { $0.name == "process_name" }.compactMap { $0.args?.name }
    #expect(names.count == 2 && names[0].hasPrefix("rank 0 on ") && names[1].hasPrefix("rank 1 on "))

    let timed = trace.traceEvents.filter { $0.ph == "X" }
    #expect(timed.map(\.start).min() == 0)
    for rank in 0..<2 {
      for step in 2...3 {
        let own = timed.filter { $0.pid == rank && $0.args?.step == step }
        let whole = try #require(own.first { $0.cat == "step" })
        #expect(whole.name == "step \(step)")
        let phases = own.filter { $0.cat == "phase" }
        #expect(phases.first?.name == "data")
        #expect(Set(phases.map(\.name)).isSuperset(of: ["student", "backward", "reduction", "optimizer", "records"]))
        // Each begins where the one before ends; microseconds have three decimals.
        #expect(zip(phases, phases.dropFirst()).allSatisfy { abs($0.end - $1.start) < 0.01 })
        #expect(abs(phases[0].start - whole.start) < 0.01 && abs(phases.last!.end - whole.end) < 0.01)
      }
    }
    for step in 2...3 {
      let last = (0..<2).map { rank in
        timed.last { $0.pid == rank && $0.args?.step == step && $0.name == "reduction" }!
      }
      #expect(
        last.map(\.start).max()! <= last.map(\.end).min()!, "no rank leaves a reduction that another has not entered")
    }
  }

  @Test func `steps that this start does not make are refused, and what is no range`() throws {
    let tiny = try TinyRun()
    try tiny.train(["training.max_steps=2"], more: ["--trace", "3-5"])
      .expect(64, "--trace 3-5: this start makes the steps 1 to 2")
    try tiny.train(["training.max_steps=2"], more: ["--trace", "5-3"]).expect(64, "--trace")
  }
}
