import Runtime

/// What a run prints when it is done.
package struct RunSummary: Sendable {
  /// A fraction from 0 to 1; nil where there are no test images.
  package var testAccuracy: Double?
  package var testLoss: Double?
  /// Of the averaged weights, where the run kept some.
  package var averagedAccuracy: Double?
  package var seconds: Double
  package var steps: Int
  package var runDirectory: String
  /// The last checkpoint, within or outside the run directory.
  package var checkpoint: String?
  /// Commands and what each is for.
  package var next: [(command: String, purpose: String)]
  /// For the best epochs; nil or of one epoch says nothing of them.
  package var history: EpochHistory?

  package init(
    testAccuracy: Double?, testLoss: Double?, averagedAccuracy: Double? = nil, seconds: Double, steps: Int,
    runDirectory: String,
    checkpoint: String?, next: [(command: String, purpose: String)] = [], history: EpochHistory? = nil
  ) {
    self.testAccuracy = testAccuracy
    self.testLoss = testLoss
    self.averagedAccuracy = averagedAccuracy
    self.seconds = seconds
    self.steps = steps
    self.runDirectory = runDirectory
    self.checkpoint = checkpoint
    self.next = next
    self.history = history
  }

  package var text: String {
    var rows: [[String]] = []
    if let testAccuracy { rows.append(["test accuracy", "\(decimal(testAccuracy * 100, places: 2)) %"]) }
    if let averagedAccuracy {
      rows.append(["  averaged", "\(decimal(averagedAccuracy * 100, places: 2)) % (training.ema)"])
    }
    if let history, history.epochs.count > 1 { rows += bestEpochs(history) }
    if let testLoss { rows.append(["test loss", decimal(testLoss, places: 4)]) }
    rows.append(["time", "\(duration(seconds)) for \(Table.grouped(steps)) \(steps == 1 ? "step" : "steps")"])
    rows.append(["run directory", runDirectory])
    if let checkpoint { rows.append(["checkpoint", checkpoint]) }
    let width = rows.map { $0[0].count }.max()!
    var lines = ["", "Done."] + rows.map { "  \(Table.pad($0[0], to: width, .left))  \($0[1])" }
    if !next.isEmpty {
      lines += ["", "What to try next:"]
      lines += next.flatMap { ["  \($0.purpose):", "    \($0.command)"] }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private func bestEpochs(_ history: EpochHistory) -> [[String]] {
    func accuracy(_ epoch: EpochHistory.Epoch) -> String {
      "\(decimal(epoch.testAccuracy * 100, places: 2)) % after epoch \(epoch.epoch + 1)"
    }
    var rows: [[String]] = []
    if let best = history.bestByValidation {
      rows.append(["  by validation", "\(accuracy(best)), whose validation accuracy is the best"])
    }
    if let best = history.bestByTest {
      rows.append(["  best epoch", "\(accuracy(best)) (an oracle's choice: by the test set itself)"])
    }
    return rows
  }
}
