import Formats
import Foundation
import Studies
import TestSupport
import Testing

@Suite struct ComparisonTests {
  /// Two epochs of ten steps; the first is always 0.5.
  private func run(
    _ variant: String, _ seed: Int, _ accuracy: Double, step: Double = 0.1, point: String = "", failure: Int32? = nil
  ) -> StudyRun {
    let epochs = [(0.0, 10.0, 0.5), (1, 20, accuracy)].map { epoch, last, accuracy in
      [
        "epoch": epoch, "step": last, "test_accuracy": accuracy, "test_ece": 0.02, "seconds": 9,
        "seconds_per_step": step,
        "processor_seconds_per_step": step / 2,
      ]
    }
    return StudyRun(
      directory: "", point: point, variant: variant, seed: seed, failure: failure, epochs: failure == nil ? epochs : [])
  }

  private var runs: [StudyRun] {
    [
      run("plain", 0, 0.30), run("plain", 1, 0.32), run("plain", 2, 0.40), run("plain", 3, 0.9),
      // In another order, and without a partner for seed 3.
      run("adam", 2, 0.43, step: 0.4), run("adam", 0, 0.35, step: 0.3), run("adam", 1, 0.33, step: 0.5),
      run("adam", 3, 0, failure: 77),
    ]
  }

  @Test func `means, deviations and paired differences are those by hand`() throws {
    let comparison = Comparison(runs: runs, baseline: "plain")
    #expect(comparison.rows.map(\.variant) == ["plain", "adam"])
    let adam = comparison.rows[1]
    #expect(adam.seeds == [0, 1, 2] && adam.failed == 1)
    let last = try #require(adam.last["test_accuracy"])
    // 0.33, 0.35, 0.43: mean 0.37, deviations -0.04, -0.02, 0.06, squares 0.0056 over 2. Roundings of some 1e-17.
    #expect(abs(last.mean - 0.37) < 1e-12)
    #expect(abs(last.standardDeviation! - 0.0028.squareRoot()) < 1e-12)
    // 0.05, 0.01, 0.03: mean 0.03, deviation 0.02; t of 2 degrees is 4.302653.
    let difference = try #require(adam.differences["test_accuracy"])
    #expect(difference.count == 3)
    #expect(abs(difference.mean - 0.03) < 1e-12)
    #expect(abs(difference.halfWidth! - 4.302653 * 0.02 / 3.0.squareRoot()) < 1e-7)
    // The best epoch is the first for all of these.
    #expect(adam.best["test_accuracy"]?.mean == 0.5)
    #expect(comparison.rows[0].differences["test_accuracy"] == nil)
  }

  @Test func `the verdict is a sentence, and says how many seeds would show what was found`() throws {
    // A mean of 3 points and a deviation of 2 of three pairs: by hand, t of 3 degrees is 3.18 and of 4 degrees 2.78, so
    // that four seeds leave 3.18 points and five 2.48.
    #expect(
      Comparison(runs: runs, baseline: "plain").verdict == [
        "No difference shown between adam and plain: their test accuracy differs by +3.00 [-1.97, +7.97] over 3 seeds. "
          + "A difference of 3.00 points would take about 5 seeds to show."
      ])
    let sure = (0..<4).flatMap { [run("plain", $0, 0.3), run("adam", $0, 0.4 + 0.001 * Double($0))] }
    #expect(
      Comparison(runs: sure, baseline: "plain").verdict[0].hasPrefix(
        "adam is better than plain: its test accuracy differs by +10.15 ["))
    let single = Comparison(runs: [run("plain", 0, 0.3), run("adam", 0, 0.2)], baseline: "plain").verdict
    #expect(
      single[0].hasPrefix("adam has a test accuracy of 10.00 points less than plain, with one seed each. That shows"))
    let even = Comparison(runs: [run("plain", 0, 0.3), run("adam", 0, 0.3)], baseline: "plain").verdict
    #expect(even[0].hasPrefix("adam has the same test accuracy as plain, with one seed each. That shows nothing yet"))
    #expect(Comparison(runs: sure, baseline: nil).verdict[0].hasPrefix("None of these variants is the baseline"))
    #expect(
      Comparison(runs: [run("adam", 0, 0.3)], baseline: nil).verdict[0].hasPrefix("All runs here are one variant"))
  }

  @Test func `the sentences say what else is lower or higher, where its interval leaves 0 out`() {
    func run(_ variant: String, _ seed: Int, _ error: Double) -> StudyRun {
      var run = self.run(variant, seed, 0.3 + 0.01 * Double(seed % 2))
      run.epochs[1]["test_ece"] = error + 0.001 * Double(seed)
      return run
    }
    let runs = (0..<4).flatMap { [run("plain", $0, 0.4), run("adam", $0, 0.3 + 0.01 * Double($0 % 2))] }
    let comparison = Comparison(runs: runs, baseline: "plain", metrics: ["test_ece"], about: "Is it calibrated?")
    #expect(
      comparison.verdict[0].hasSuffix("adam has a lower calibration error, by -9.50 [-10.42, -8.58]."),
      "\(comparison.verdict)")
    #expect(
      comparison.markdown.hasPrefix("# Results\n\nIs it calibrated?\n\n- No difference shown between adam and plain"))
  }

  @Test func `cost is the median compute of a run in the baseline's`() throws {
    let comparison = Comparison(runs: runs, baseline: "plain")
    // Twenty steps of 0.3, 0.4 and 0.5 s against 0.1 s.
    #expect(abs(try #require(comparison.rows[1].secondsPerStep) - 0.4) < 1e-12)
    #expect(abs(try #require(comparison.rows[1].trainingSeconds) - 8) < 1e-12)
    #expect(abs(try #require(comparison.rows[1].cost) - 4) < 1e-12)
    #expect(comparison.rows[0].cost == 1)
  }

  @Test func `the tables say it in per cent, with what failed and how settings were chosen`() {
    let text = Comparison(runs: runs, baseline: "plain", unfinished: 2).markdown
    #expect(
      text.contains(
        "| variant | seeds | failed | test accuracy % | best | difference to plain | calibration error % | epochs |"))
    #expect(
      text.contains("| adam | 3 | 1 | 37.00 ± 5.29 | 50.00 ± 0.00 | +3.00 [-1.97, +7.97] | 2.00 ± 0.00 | 2 | 400.0 |"))
    #expect(text.contains("**1 of 8 runs failed**"))
    #expect(text.contains("**2 runs not done yet.**"))
    #expect(text.contains("none was chosen by these runs"))
  }

  @Test func `where settings come from is said once for all that share it, and never as validation where nobody knows`()
  {
    var runs = [run("plain", 0, 0.3), run("adam", 0, 0.4), run("sgd", 0, 0.4), run("sam", 0, 0.4)]
    runs[1].provenance = "by validation_accuracy (0.5) (a.yaml)"
    runs[2].provenance = "by validation_accuracy (0.5) (a.yaml)"
    runs[3].provenance = "from b.yaml"
    #expect(
      Comparison(runs: runs, baseline: "plain").markdown.contains(
        "Settings chosen on validation data, never on the test set: `adam`, `sgd` by validation_accuracy (0.5) (a.yaml). "
          + "Settings of which nothing says how they were chosen: `sam` from b.yaml. The others:"))
  }

  @Test func `a column that no record has is said`() {
    let text = Comparison(runs: runs, baseline: "plain", metrics: ["tset_loss"]).markdown
    #expect(text.contains("**`tset_loss` is in no record**; there are epoch, "))
  }

  @Test func `a number that only some seeds have says of how many`() {
    var runs = [run("plain", 0, 0.3), run("plain", 1, 0.5)]
    runs[0].epochs[1]["extra"] = 0.25
    #expect(Comparison(runs: runs, baseline: nil, metrics: ["extra"]).markdown.contains("| 0.2500 (1 of 2) |"))
  }

  @Test func `a difference of fewer pairs than seeds says of how many`() {
    let runs = [0, 1, 2].map { run("adam", $0, 0.4) } + [0, 1].map { run("plain", $0, 0.3) }
    #expect(Comparison(runs: runs, baseline: "plain").markdown.contains("| +10.00 [+10.00, +10.00] (2 of 3) |"))
  }

  @Test func `an epoch without steps of its own, after a late resume, costs no time of evaluation`() {
    var run = run("plain", 0, 0.3)
    let whole = run.trainingSeconds
    run.epochs[1]["seconds_per_step"] = nil
    run.epochs[1]["seconds"] = 1e6
    #expect(run.trainingSeconds == whole)
  }

  @Test func `each point of the grid is compared with its own baseline`() {
    let runs = [
      run("plain", 0, 0.3, point: "size 1"), run("adam", 0, 0.4, point: "size 1"), run("adam", 0, 0.6, point: "size 2"),
    ]
    let comparison = Comparison(runs: runs, baseline: "plain")
    #expect(comparison.rows.map(\.point) == ["size 1", "size 1", "size 2"])
    #expect(comparison.rows[1].differences["test_accuracy"]?.halfWidth == nil)
    #expect(comparison.rows[2].differences["test_accuracy"] == nil && comparison.rows[2].cost == nil)
    #expect(comparison.csv.contains("size 1,adam,1,0,0.4,,0.5,"))
  }

  @Test func `numbers of the record final count as the last epoch's`() throws {
    let folder = try TemporaryDirectory()
    for (variant, accuracy) in [("plain", 0.25), ("adam", 0.5)] {
      try folder.write(
        """
        {"kind":"epoch","epoch":0,"step":5,"test_accuracy":0.1}
        {"kind":"epoch","epoch":1,"step":10,"test_accuracy":0.2}
        {"kind":"final","step":10,"epoch":1,"samples":20,"corruption_contrast":[0.1,0.2],"pgd_accuracy":\(accuracy)}
        """, to: "\(variant)/metrics.jsonl")
      try folder.write(
        "{\"point\":\"\",\"variant\":\"\(variant)\",\"seed\":0,\"configuration\":\"\"}", to: "\(variant)/result.json")
    }
    let runs = try RunCollection([folder.path]).runs
    #expect(runs.allSatisfy { $0.epochs.count == 2 && $0.epochs[0]["pgd_accuracy"] == nil })
    let comparison = Comparison(runs: runs, baseline: "plain", order: ["plain", "adam"], metrics: ["pgd_accuracy"])
    #expect(comparison.markdown.contains("| adam | 1 | 20.00 | 20.00 | 0.00 | 50.00 |"))
    #expect(comparison.rows[1].differences["pgd_accuracy"]?.mean == 0.25)
    #expect(comparison.rows[1].last["corruption_contrast"] == nil)
  }

  @Test func `what a table's cells hold is quoted where CSV needs it`() {
    let csv = Comparison(runs: [run("a", 0, 0.5, point: "augment [flip, pad-crop]")], baseline: nil).csv
    #expect(csv.contains("\n\"augment [flip, pad-crop]\",a,1,0,"))
  }
}
