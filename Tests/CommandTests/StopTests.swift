import Foundation
import TestSupport
import Testing

/// Requests to stop that come while a run measures: heard within seconds, and nothing is lost.
@Suite(.ranks, .serialized, .timeLimit(.minutes(3))) struct StopTests {
  /// An evaluation of some seconds at the end of each of two epochs of 5 steps, and more at the end.
  private static let configuration =
    TinyRun.configuration
    .replacing(
      "limit: 70, test_limit: 20, size: 12", with: "limit: 117, test_limit: 20000, classes: [0, 1, 2, 3, 4, 5]"
    )
    .replacing("epochs: 4", with: "epochs: 2") + "\nevaluation: {attack_samples: 400}\n"

  /// `icp`, whose last rank gets SIGTERM a moment after `begun` holds.
  private func stopped(_ tiny: TinyRun, when begun: String) throws -> String {
    try tiny.folder.write(
      """
      #!/bin/bash
      if [[ ${OMPI_COMM_WORLD_RANK:-1} == 1 ]]; then
        (until \(begun); do sleep 0.01; done; sleep 0.05; date +%s.%N > asked; kill -TERM $$) 2>/dev/null &
      fi
      exec "\(Program.icp)" "$@"
      """, to: "stopped", executable: true)
  }

  /// Seconds from the request to the end of the job.
  private func secondsToEnd(_ tiny: TinyRun) throws -> Double {
    let asked = try String(contentsOfFile: tiny.path("asked"), encoding: .utf8)
    return Date().timeIntervalSince1970 - (try #require(Double(asked.trimmingCharacters(in: .whitespacesAndNewlines))))
  }

  @Test func `SIGTERM within an evaluation ends the job, and a resume measures what was left`() throws {
    let tiny = try TinyRun(Self.configuration)
    try tiny.train(into: "unbroken", ranks: 2).expect(0)
    let evaluation = try #require(try tiny.records(of: "unbroken").first { $0.kind == "epoch" }?.number("seconds"))
    for (step, ranks, after) in [(5, 2, nil), (10, nil, 3)] as [(Int, Int?, Int?)] {
      let script = try stopped(
        tiny, when: "[[ -e run/checkpoints/\(URL(filePath: tiny.checkpointPath(step)).lastPathComponent) ]]")
      let outcome = try tiny.train(resume: "auto", ranks: ranks, program: script)
      outcome.expect(85, "icp: stopped on request after step \(step), which is saved; --resume auto goes on from there")
      // A round and a save take half a second; mpirun notices the end two seconds late.
      #expect(try secondsToEnd(tiny) < 6)
      #expect(try tiny.records().last?.kind == "step", "the epoch, of \(evaluation) s, was over before")
      #expect(try tiny.records().last?.step == step)
      if step == 10 { try tiny.train(resume: "auto", ranks: after).expect(0) }
    }
    #expect(try tiny.records().map(\.timeless) == tiny.records(of: "unbroken").map(\.timeless))
    #expect(try tiny.checkpoint(10) == tiny.checkpoint(10, of: "unbroken"))
    #expect(try tiny.checkpoints() == tiny.checkpoints(of: "unbroken"))
    let best = try ["run", "unbroken"].map {
      try Data(contentsOf: URL(filePath: tiny.path("\($0)/checkpoints/best.safetensors")))
    }
    #expect(best[0] == best[1])
  }

  @Test(arguments: [("corruptions", 2), ("attacks", nil), ("episodes", 2)] as [(String, Int?)])
  func `SIGTERM within evaluation-final ends the job, and a resume makes it`(check: String, ranks: Int?) throws {
    let tiny = try TinyRun(
      Self.configuration.replacing("test_limit: 20000", with: "test_limit: \(check == "episodes" ? 20000 : 1000)")
        .replacing("attack_samples: 400", with: "attack_samples: 400, final: [\(check)]")
        .replacing("epochs: 2", with: "epochs: 1"))
    try tiny.train(into: "unbroken").expect(0)
    let script = try stopped(tiny, when: "grep -q '\"kind\":\"epoch\"' run/metrics.jsonl")
    let outcome = try tiny.train(ranks: ranks, program: script)
    outcome.expect(85, "icp: stopped on request in evaluation.final, after the last step, which is saved")
    #expect(try secondsToEnd(tiny) < 6)
    #expect(try tiny.records().last?.kind == "epoch")
    try tiny.train(resume: "auto", ranks: 3).expect(0)
    #expect(try tiny.records().last?.kind == "final")
    #expect(try tiny.records().map(\.timeless) == tiny.records(of: "unbroken").map(\.timeless))
  }

  @Test(arguments: [nil, 2] as [Int?]) func `SIGTERM while a run is made ready ends it at once`(ranks: Int?) throws {
    let tiny = try TinyRun(Self.configuration)
    // Caught from the program's first line on; 60,000 images are drawn after it. All ranks are there when it comes:
    // mpirun of Open MPI 4.1.4 once stayed for good where a rank ended while another was still connecting to it
    // (PMIX ERROR: UNREACHABLE).
    let script = try tiny.folder.write(
      """
      #!/bin/bash
      rank=${OMPI_COMM_WORLD_RANK:-0}
      (until (( 0x$(awk '/^SigCgt/ { print $2 }' /proc/$$/status) & 0x4000 )); do sleep 0.01; done; touch caught-$rank
       [[ $rank == 0 ]] || exit
       until [[ -e caught-$((${OMPI_COMM_WORLD_SIZE:-1} - 1)) ]]; do sleep 0.01; done
       sleep 0.2
       date +%s.%N > asked; kill -TERM $$) 2>/dev/null &
      exec "\(Program.icp)" "$@"
      """, to: "stopped", executable: true)
    let outcome = try tiny.train(["data.limit=60000"], ranks: ranks, program: script)
    outcome.expect(85, "icp: stopped on request before the first step; nothing is changed")
    #expect(try secondsToEnd(tiny) < 6)
    #expect(!FileManager.default.fileExists(atPath: tiny.path("run/metrics.jsonl")))
  }

  @Test func `killed within an evaluation, nothing is lost`() throws {
    let tiny = try TinyRun(Self.configuration)
    try tiny.train(into: "unbroken", ranks: 2).expect(0)
    let script = try tiny.folder.write(
      """
      #!/bin/bash
      (until [[ -e run/checkpoints/step-0000005.safetensors ]]; do sleep 0.01; done; kill -9 $$) &
      exec "\(Program.icp)" "$@"
      """, to: "killed", executable: true)
    #expect(try tiny.train(["checkpoint.keep=1"], ranks: 2, program: script).status == 137)
    #expect(try tiny.records().last?.kind == "step")
    try tiny.train(resume: "auto").expect(0)
    #expect(try tiny.records().map(\.timeless) == tiny.records(of: "unbroken").map(\.timeless))
    #expect(try tiny.checkpoint(10) == tiny.checkpoint(10, of: "unbroken"))
    #expect(try tiny.checkpoints() == tiny.checkpoints(of: "unbroken"))
  }
}

extension String {
  fileprivate func replacing(_ part: String, with other: String) -> String {
    precondition(contains(part), "\(part) is not in \(self)")
    return replacingOccurrences(of: part, with: other)
  }
}
