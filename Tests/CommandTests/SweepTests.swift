import Foundation
import TestSupport
import Testing

/// Whole studies of tiny runs.
@Suite(.serialized, .timeLimit(.minutes(3))) struct SweepTests {
  private static let twelve = """
    base: tiny.yaml
    seeds: [0, 1, 2]
    baseline: plain
    checkpoints: all
    settings: {training.epochs: 2, checkpoint.every_steps: 2}
    grid: {data.limit: [40, 60]}
    variants:
      plain: {icp.rule: none}
      adam: {icp.step_size: 3.0e-3}
    """

  /// The twelve runs and their last steps.
  private static let runs: [(name: String, step: Int, settings: [String])] = [0, 1, 2].flatMap { seed in
    [(40, 6), (60, 8)].flatMap { limit, step in
      [("plain", "icp.rule=none"), ("adam", "icp.step_size=3.0e-3")].map { variant, setting in
        (
          "limit-\(limit)/\(variant)/seed-\(seed)", step,
          ["training.epochs=2", "data.limit=\(limit)", setting, "training.seed=\(seed)"]
        )
      }
    }
  }

  /// The same, each by an `icp train` of its own, one after the other: of four processes at a time without mpirun,
  /// which share MPI's session directory, one has failed once on a busy machine.
  private static let oneByOne = Result {
    let tiny = try TinyRun()
    let lines = runs.map { run in
      "train tiny.yaml --run-dir \(run.name) " + run.settings.map { "--set \($0)" }.joined(separator: " ") + "\n"
    }
    try tiny.folder.write(lines.joined(), to: "arguments")
    try Program.run(
      executable: "xargs", ["-a", "arguments", "-L", "1", Program.icp], environment: TinyRun.anywhere,
      timeLimit: 60, workingDirectory: tiny.folder.path
    ).expect(0)
    return tiny
  }

  private func sweep(
    _ tiny: TinyRun, _ text: String = Self.twelve, ranks: Int? = 4, _ more: [String] = []
  ) throws -> Program.Outcome {
    try tiny.folder.write(text, to: "sweep.yaml")
    return try tiny.command(["sweep", "sweep.yaml", "--directory", "out"] + more, ranks: ranks)
  }

  private func expectSame(_ tiny: TinyRun, _ runs: [(name: String, step: Int, settings: [String])]) throws {
    let reference = try Self.oneByOne.get()
    for run in runs {
      #expect(
        try tiny.tensors(run.step, of: "out/\(run.name)") == reference.tensors(run.step, of: run.name), "\(run.name)")
      let epochs = try tiny.records(of: "out/\(run.name)").map(\.timeless)
      #expect(try epochs == reference.records(of: run.name).map(\.timeless), "\(run.name)")
    }
  }

  @Test(.ranks)
  func
    `killed in the middle and started again, twelve runs on four ranks are each made once, with the bits of one by one`()
    throws
  {
    let tiny = try TinyRun()
    try tiny.folder.write(Self.twelve, to: "sweep.yaml")
    let script = try tiny.folder.write(
      """
      #!/bin/bash
      mpirun -n 4 --oversubscribe --bind-to none --allow-run-as-root "\(Program.icp)" sweep sweep.yaml --directory out &
      until (($(ls out/*/*/*/result.json 2>/dev/null | wc -l) >= 3)); do sleep 0.01; done
      pkill -KILL -P $!
      wait $!
      """, to: "killed", executable: true)
    let killed = try Program.run(
      executable: script, environment: TinyRun.anywhere, timeLimit: 60, workingDirectory: tiny.folder.path)
    #expect(killed.status == 137)
    let done = Self.runs.filter { FileManager.default.fileExists(atPath: tiny.path("out/\($0.name)/result.json")) }
    #expect((3..<12).contains(done.count))
    let notes = try done.map { try Data(contentsOf: URL(fileURLWithPath: tiny.path("out/\($0.name)/metrics.jsonl"))) }

    let second = try sweep(tiny)
    second.expect(0)
    #expect(second.standardOutput.contains("sweep.yaml: 12 runs, \(done.count) of them done before, 4 at a time"))
    for run in Self.runs {
      let lines = second.standardOutput.split(separator: "\n").count { $0.contains("  \(run.name)  test ") }
      #expect(lines == (done.contains { $0.name == run.name } ? 0 : 1), "\(run.name)")
    }
    #expect(
      try done.map { try Data(contentsOf: URL(fileURLWithPath: tiny.path("out/\($0.name)/metrics.jsonl"))) } == notes)
    try expectSame(tiny, Self.runs)
    #expect(second.standardOutput.contains("## limit 60\n"))
    #expect(second.standardOutput.contains("| adam | 3 | "))

    // Nothing is left to do, on any number of ranks; and a changed sweep is refused.
    let third = try sweep(tiny, ranks: nil)
    third.expect(0)
    #expect(third.standardOutput.contains("12 runs, 12 of them done before"))
    let changed = Self.twelve.replacingOccurrences(of: "3.0e-3", with: "4.0e-3")
    try sweep(tiny, changed, ranks: nil).expect(
      64,
      "out/limit-40/adam/seed-0 was made with another configuration: 'icp.step_size' is 0.004, but the run began with 0.003"
    )
  }

  @Test(.ranks) func `two groups of two ranks make the same runs, and ranks that make no group are refused`() throws {
    let tiny = try TinyRun()
    let text = "ranks_per_run: 2\n" + Self.twelve.replacingOccurrences(of: "[0, 1, 2]", with: "[0]")
    try sweep(tiny, text, ranks: 3).expect(64, "3 ranks cannot be cut into groups of 'ranks_per_run' 2: start 2")
    let outcome = try sweep(tiny, text)
    outcome.expect(0)
    #expect(outcome.standardOutput.contains("4 runs, 0 of them done before, 2 at a time"))
    try expectSame(tiny, Self.runs.filter { $0.name.hasSuffix("seed-0") })
  }

  @Test(.ranks) func `a run that fails is recorded and ends no other`() throws {
    let tiny = try TinyRun()
    let text = """
      base: tiny.yaml
      baseline: plain
      settings: {training.epochs: 2}
      checkpoints: none
      variants:
        plain: {icp.rule: none}
        diverges: {optimizer.learning_rate: 1e30}
        waits: {equal_compute_with: diverges}
        taps: {distillation.taps: [layer9]}
      """
    let outcome = try sweep(tiny, text, ranks: 2)
    outcome.expect(77, "3 of 4 runs failed: see failed.json")
    #expect(outcome.standardOutput.contains("plain/seed-0  test "))
    #expect(outcome.standardOutput.contains("taps/seed-0  FAILED (64): "))
    #expect(outcome.standardOutput.contains("| diverges | 0 | 1 |  |"))
    let note = try String(contentsOfFile: tiny.path("out/diverges/seed-0/failed.json"), encoding: .utf8)
    #expect(note.contains("\"exit_status\" : 77") && note.contains("is not finite"))
    #expect(try tiny.checkpoints(of: "out/plain/seed-0") == [])
    // Not tried again, unless asked for.
    #expect(try sweep(tiny, text, ranks: nil).standardOutput.contains("4 runs, 4 of them done before"))
    #expect(
      try sweep(tiny, text, ranks: nil, ["--retry-failed"]).standardOutput.contains("4 runs, 1 of them done before"))
  }

  @Test(.ranks) func `a request to stop that one rank gets stops all groups, and the same command goes on`() throws {
    let tiny = try TinyRun()
    let text = """
      base: tiny.yaml
      settings: {training.epochs: 40, checkpoint.every_steps: 1, data.limit: 40}
      variants: {plain: {icp.rule: none}, adam: {}}
      """
    try tiny.folder.write(text, to: "sweep.yaml")
    let script = try tiny.folder.write(
      """
      #!/bin/bash
      mpirun -n 2 --oversubscribe --bind-to none --allow-run-as-root "\(Program.icp)" sweep sweep.yaml --directory out &
      until [[ -e out/plain/seed-0/checkpoints/best.safetensors && -e out/adam/seed-0/checkpoints/best.safetensors ]]; do sleep 0.01; done
      kill -USR1 $(pgrep -P $! | tail -1)
      wait $!
      """, to: "stopped", executable: true)
    let outcome = try Program.run(
      executable: script, environment: TinyRun.anywhere, timeLimit: 60, workingDirectory: tiny.folder.path)
    outcome.expect(85, "stopped on request")
    #expect(outcome.standardOutput.contains("**2 runs not done yet.**"))
    let again = try sweep(tiny, text, ranks: 2)
    again.expect(0)
    for variant in ["plain", "adam"] {
      #expect(try tiny.records(of: "out/\(variant)/seed-0").count { $0.kind == "epoch" } == 40)
    }
  }

  @Test(.ranks) func `equal compute is measured once, and gives all seeds as many epochs`() throws {
    let tiny = try TinyRun()
    let text = """
      base: tiny.yaml
      seeds: [0, 1]
      baseline: plain
      settings: {training.epochs: 2}
      variants:
        plain: {icp.rule: none}
        equal: {icp.rule: none, equal_compute_with: adam}
        adam: {icp.steps: 10}
      """
    try sweep(tiny, text, ranks: 2).expect(0)
    let epochs = try [0, 1].map { try tiny.records(of: "out/equal/seed-\($0)").count { $0.kind == "epoch" } }
    // Ten steps of refinement cost five times a plain step, by the method's count 8; in epochs, more than 2 times 2.
    #expect(epochs[0] == epochs[1] && epochs[0] > 4, "\(epochs)")
    #expect(try sweep(tiny, text, ranks: nil).standardOutput.contains("6 runs, 6 of them done before"))
    // What was measured goes with the runs that it was measured by.
    let changed = text.replacingOccurrences(of: "icp.steps: 10", with: "icp.steps: 1")
    #expect(try sweep(tiny, changed, ranks: nil, ["--redo"]).standardOutput.contains("6 runs, 2 of them done before"))
    let fewer = try tiny.records(of: "out/equal/seed-0").count { $0.kind == "epoch" }
    #expect(fewer < epochs[0], "\(fewer)")
    // Another study in the same place would write over its tables.
    try sweep(tiny, changed.replacingOccurrences(of: "seeds: [0, 1]", with: "seeds: [5]"), ranks: nil)
      .expect(64, "out holds another study, with runs such as plain/seed-0")
    // Measured against another variant it is another run.
    let other = changed.replacingOccurrences(of: "equal_compute_with: adam", with: "equal_compute_with: more")
      .replacingOccurrences(of: "  adam:", with: "  more: {icp.steps: 3}\n  adam:")
    try sweep(tiny, other, ranks: nil).expect(
      64, "'equal_compute_with' is more over plain, but the run began with adam")
    // Where what tells the cost is lost, nobody waits for it.
    for file in ["out/equal", "out/adam/seed-0/metrics.jsonl", "out/adam/seed-1/metrics.jsonl"] {
      try FileManager.default.removeItem(atPath: tiny.path(file))
    }
    let lost = try sweep(tiny, changed, ranks: 2)
    lost.expect(64, "2 of 6 runs failed")
    #expect(lost.standardOutput.contains("equal"))
  }

  @Test func `another file of labels under the same name makes another run`() throws {
    let tiny = try TinyRun()
    let text = """
      base: tiny.yaml
      settings: {training.max_steps: 1, icp.rule: none, data.label_noise: {kind: file, file: labels.txt}}
      variants: {plain: {}}
      """
    func write(_ label: Int) throws {
      try tiny.folder.write(String(repeating: "\(label)\n", count: 70), to: "labels.txt")
    }
    try write(1)
    try sweep(tiny, text, ranks: nil).expect(0)
    #expect(try sweep(tiny, text, ranks: nil).standardOutput.contains("1 run, 1 of them done before"))
    try write(2)
    try sweep(tiny, text, ranks: nil).expect(64, "'the contents of data.label_noise.file' is checksum ")
    #expect(try sweep(tiny, text, ranks: nil, ["--redo"]).standardOutput.contains("1 run, 0 of them done before"))
  }

  @Test(.ranks) func `a search chooses by validation data, and another sweep takes its choice up`() throws {
    let tiny = try TinyRun()
    let text = """
      base: tiny.yaml
      seeds: [0, 1]
      settings: {training.epochs: 2, data.validation: 20, icp.rule: none}
      baseline: plain
      variants: {plain: {}, rate: {}}
      search:
        metric: validation_loss
        variants:
          rate: {trials: 3, space: {optimizer.learning_rate: {log: [1e-4, 1e-1]}}}
      """
    let outcome = try sweep(tiny, text, ranks: 2)
    outcome.expect(0)
    #expect(
      outcome.standardOutput.contains("settings are compared by validation_loss of the last epoch, on data held out"))
    #expect(
      outcome.standardOutput.contains("| optimizer.learning_rate ")
        || outcome.standardOutput.contains("| learning_rate "))
    #expect(outcome.standardOutput.contains("\nchosen: rate-0"))
    let compared = try tiny.command(["compare", "out"])
    // The study's own baseline and order of rows.
    #expect(
      compared.standardOutput.contains("difference to plain") && compared.standardOutput.contains("| plain |  | 2 |"))
    #expect(compared.standardOutput.contains("settings are compared by validation_loss of the last epoch"))
    // The test set has no part in it, not even on the console.
    #expect(outcome.standardOutput.contains("rate-01/seed-0  validation_loss "))
    #expect(
      outcome.standardOutput.contains(
        "| variant | drawn | seeds | validation loss | best | difference to plain | training accuracy % | epochs |"))
    #expect(!outcome.standardOutput.contains("test_") && !outcome.standardOutput.contains("test accuracy"))
    let losses = try (1...3).map { trial -> Double in
      try [0, 1].reduce(0.0) { sum, seed in
        let last = try #require(try tiny.records(of: "out/rate-0\(trial)/seed-\(seed)").last)
        return sum + (try #require(last.number("validation_loss")))
      }
    }
    let best = losses.indices.min { losses[$0] < losses[$1] }! + 1
    let config = try String(contentsOfFile: tiny.path("out/rate-0\(best)/seed-0/config.yaml"), encoding: .utf8)
    let rate = try #require(config.split(separator: "\n").first { $0.contains("learning_rate:") })
    let chosen = try String(contentsOfFile: tiny.path("out/chosen/rate.yaml"), encoding: .utf8)
    #expect(chosen.hasPrefix("# by validation_loss ("))
    #expect(chosen.hasSuffix("optimizer.\(rate.drop { $0 == " " })\n"))

    try tiny.folder.write(
      "base: tiny.yaml\nvariants: {plain: {file: out/chosen/rate.yaml, icp.rule: none}}", to: "next.yaml")
    let next = try tiny.command(["sweep", "next.yaml", "--directory", "next"], ["training.epochs=1"])
    next.expect(0)
    #expect(
      next.standardOutput.contains(
        "Settings chosen on validation data, never on the test set: `plain` by validation_loss"))
  }

  @Test(.ranks)
  func `a search by halving runs to the end what was better before, however it is shared out or cut short`()
    throws
  {
    let text = """
      base: tiny.yaml
      seeds: [0, 1]
      settings: {training.epochs: 2, data.validation: 20, icp.rule: none}
      baseline: plain
      variants: {plain: {}, rate: {}}
      search:
        method: halving
        metric: validation_loss
        rungs: [{seeds: 1, epochs: 0.5}, {seeds: 1}, {}]
        variants: {rate: {trials: 5, space: {optimizer.learning_rate: {log: [1e-5, 1e-1]}}}}
      """
    let tiny = try TinyRun()
    func loss(_ run: String) throws -> Double? { try tiny.records(of: "out/\(run)").last?.number("validation_loss") }
    func made() -> Set<String> {
      Set(
        (1...5).flatMap { ["rate-0\($0)-epochs-0.5/seed-0", "rate-0\($0)/seed-0", "rate-0\($0)/seed-1"] }
          .filter { FileManager.default.fileExists(atPath: tiny.path("out/\($0)/result.json")) })
    }
    let outcome = try sweep(tiny, text, ranks: 3)
    outcome.expect(0)
    #expect(outcome.standardOutput.contains("sweep.yaml: 17 runs, 0 of them done before"))
    func best(_ trials: [Int], _ count: Int, _ score: (Int) throws -> Double) rethrows -> [Int] {
      let scores = try trials.map(score)
      return trials.indices.sorted { (scores[$0], $0) < (scores[$1], $1) }.prefix(count).map { trials[$0] }
    }
    let second = try best(Array(1...5), 3) { try #require(try loss("rate-0\($0)-epochs-0.5/seed-0")) }
    let third = try best(second.sorted(), 2) { try #require(try loss("rate-0\($0)/seed-0")) }
    let winner = try best(third.sorted(), 1) { trial in
      try [0, 1].reduce(0) { try $0 + #require(try loss("rate-0\(trial)/seed-\($1)")) }
    }[0]
    let wanted = Set(
      (1...5).map { "rate-0\($0)-epochs-0.5/seed-0" } + second.map { "rate-0\($0)/seed-0" }
        + third.map { "rate-0\($0)/seed-1" })
    #expect(made() == wanted)
    #expect(outcome.standardOutput.contains("\nchosen: rate-0\(winner), into "))
    let chosen = try String(contentsOfFile: tiny.path("out/chosen/rate.yaml"), encoding: .utf8)
    #expect(chosen.contains("the best of 2 that were left of 5 trials of `rate` by successive halving"))
    // Nothing is missing, though five runs were dropped.
    let compared = try tiny.command(["compare", "out"])
    #expect(compared.status == 0 && !compared.standardOutput.contains("not done"), "\(compared.standardOutput)")

    // What is gone is made again, and no other.
    for run in wanted.sorted().suffix(4) { try FileManager.default.removeItem(atPath: tiny.path("out/\(run)")) }
    let again = try sweep(tiny, text, ranks: nil)
    again.expect(0)
    #expect(made() == wanted)
    #expect(try String(contentsOfFile: tiny.path("out/chosen/rate.yaml"), encoding: .utf8) == chosen)
    let done = try sweep(tiny, text, ranks: nil, ["--dry-run"])
    #expect(done.standardOutput.contains("dropped") && !done.standardOutput.contains("undecided"))
  }

  @Test(.long) func `runs of icp train are compared by what differs between them`() throws {
    let reference = try Self.oneByOne.get()
    let outcome = try reference.command(["compare", "limit-40", "--metric", "test_loss", "--directory", "compared"])
    outcome.expect(0)
    #expect(outcome.standardOutput.contains("| variant | seeds | test accuracy % | best | difference to "))
    #expect(outcome.standardOutput.contains(" | test loss | "))
    #expect(FileManager.default.fileExists(atPath: reference.path("compared/results.csv")))
    // The keys in which runs differ, beside their numbers.
    let table = try String(contentsOfFile: reference.path("compared/runs.csv"), encoding: .utf8).split(separator: "\n")
    #expect(table[0].hasPrefix("point,variant,seed,directory,exit_status,icp.rule,icp.step_size,best_test_accuracy,"))
    #expect(
      table.dropFirst().contains { $0.contains(",0,none,0.002,") } && table.contains { $0.contains(",0,adam,0.003,") })
    try reference.command(["compare", "tiny.yaml"]).expect(64, "tiny.yaml: no run here")
    // Two studies have their own plain each, of the same seeds.
    try reference.command(["compare", "limit-40", "limit-40"]).expect(64, "are both ")
    // A run whose records do not reach its end is in no mean.
    let (whole, cut) = (reference.path("limit-40"), reference.path("cut"))
    try FileManager.default.copyItem(atPath: whole, toPath: cut)
    let run = try #require(
      try FileManager.default.subpathsOfDirectory(atPath: cut).sorted().first { $0.hasSuffix("metrics.jsonl") })
    let lines = try String(contentsOfFile: "\(cut)/\(run)", encoding: .utf8).split(separator: "\n")
    try reference.folder.write(lines.dropLast(1).joined(separator: "\n") + "\n", to: "cut/\(run)")
    let some = try reference.command(["compare", "cut"])
    some.expect(0)
    #expect(some.standardOutput.contains("**1 run not done yet.**"))
    try reference.command(["compare", "cut/\(run.dropLast("/metrics.jsonl".count))"]).expect(
      64, "no run here has come to its end")
    try reference.command(["compare", "limit-40", "--metric", "test_los"]).expect(64, "--metric test_los: in no record")
    try reference.command(["compare", "limit-40", "--baseline", "x"]).expect(
      64, "--baseline x: no such variant; there are")
  }
}
