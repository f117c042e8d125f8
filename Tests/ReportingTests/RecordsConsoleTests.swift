import Foundation
import Logging
import Reporting
import TestSupport
import Testing

@Suite struct RecordsConsoleTests {
  private func progress(_ step: Int) -> RunProgress {
    RunProgress(
      epoch: 2, epochs: 30, step: step, steps: 1200, epochEnd: 425, loss: 1.23456, imagesPerSecond: 512.4)
  }

  /// What `body` writes to the descriptor it is given.
  private func captured(_ body: (Int32) -> Void) -> String {
    let pipe = Pipe()
    body(pipe.fileHandleForWriting.fileDescriptor)
    try? pipe.fileHandleForWriting.close()
    return String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
  }

  @Test func `a line tells epoch, step, loss, rate and time left`() {
    #expect(
      progress(420).line(secondsAStep: 0.5)
        == "epoch  3/30  step  420/1200  loss 1.2346    512 images/s  left 0:03/6:30")
  }

  @Test(arguments: [1, 20, 40, 80, 200])
  func `a bar never wraps`(width: Int) {
    for step in [0, 420, 1200, 2000] {
      #expect(progress(step).bar(secondsAStep: 30, width: width).count < width)
    }
    #expect(
      progress(600).bar(secondsAStep: nil, width: 200).hasPrefix("[###############---------------] epoch"))
  }

  @Test func `without a terminal there is a line every few steps and one at the end`() {
    let text = captured { output in
      let console = Console(output: output, every: 500, isTerminal: false)
      for step in 1...1200 { console.show(progress(step)) }
      console.finish()
    }
    let lines = text.split(separator: "\n")
    #expect(lines.count == 3)
    #expect(lines[0].contains("step  500/1200") && lines[2].contains("step 1200/1200"))
    #expect(!text.contains("\u{1B}") && !text.contains("\r"))
  }

  @Test func `on a terminal a warning stands above the bar, and fast steps are not all drawn`() {
    let text = captured { output in
      let console = Console(output: output, every: 1, isTerminal: true)
      for step in 1...100 { console.show(progress(step)) }
      ConsoleLogHandler(console: console, output: output).log(
        event: LogEvent(
          level: .warning, message: "the disk is filling", metadata: ["left": "3 GB"], source: "", file: "",
          function: "", line: 0))
      console.show(progress(1200))
      console.finish()
    }
    let clear = "\r\u{1B}[K"
    #expect(text.contains("\(clear)icp: warning: the disk is filling left=3 GB\n\(clear)["))
    #expect(text.hasSuffix("\n"))
    // 100 steps take far less than the second in which ten redraws are due.
    #expect(text.components(separatedBy: "epoch").count < 20)
  }

  @Test func `a reader that went away does not stop the run`() {
    let pipe = Pipe()
    try? pipe.fileHandleForReading.close()
    let console = Console(output: pipe.fileHandleForWriting.fileDescriptor, every: 1, isTerminal: false)
    for step in 1...10 { console.show(progress(step)) }
    console.line("still here")
    console.finish()
  }

  @Test(arguments: [
    (0.0, "0:00"), (7.4, "0:07"), (754, "12:34"), (3723, "1:02:03"), (-1, "0:00"), (.infinity, "?"),
    (.nan, "?"),
  ])
  func `a time reads like a clock`(seconds: Double, text: String) {
    #expect(duration(seconds) == text)
  }

  @Test(arguments: [
    (1.23456, 4, "1.2346"), (0.05, 1, "0.1"), (-0.00001, 2, "0.00"), (-1.5, 2, "-1.50"), (12, 0, "12"),
    (.nan, 2, "nan"), (-.infinity, 2, "-inf"),
  ])
  func `a decimal has its places`(value: Double, places: Int, text: String) {
    #expect(decimal(value, places: places) == text)
  }

  @Test func `a table's columns line up`() {
    let text = Table.text(
      header: ["layer", "parameters", "note"],
      rows: [["conv1", "432", ""], ["fc", Table.grouped(1_234_567), "x"]],
      alignments: [.left, .right])
    #expect(text == "layer  parameters  note\nconv1         432\nfc      1,234,567  x")
    #expect([0, 999, 1000, -1_000_000].map { Table.grouped($0) } == ["0", "999", "1,000", "-1,000,000"])
  }

  @Test func `the summary says how good, how long, where, and what next`() {
    let summary = RunSummary(
      testAccuracy: 0.91234, testLoss: 0.3, seconds: 90, steps: 1200, runDirectory: "runs/a",
      checkpoint: "runs/a/checkpoints/step-0001200.safetensors",
      next: [("icp evaluate a.yaml", "Scores per class")])
    #expect(
      summary.text == """

        Done.
          test accuracy  91.23 %
          test loss      0.3000
          time           1:30 for 1,200 steps
          run directory  runs/a
          checkpoint     runs/a/checkpoints/step-0001200.safetensors

        What to try next:
          Scores per class:
            icp evaluate a.yaml

        """)
  }

  @Test func `the summary of a run names the best epochs, and which of them is an oracle's`() throws {
    let folder = try TemporaryDirectory()
    let path = folder.path("metrics.jsonl")
    let log = try MetricsLog(path: path)
    for (epoch, accuracies) in [(0.5, 0.25), (0.75, 0.5), (0.5, 0.75), (0.625, 0.75)].enumerated() {
      let (test, validation) = (accuracies.0, accuracies.1)
      try log.append(
        .epoch(
          epoch, step: epoch + 1, trainLoss: 1, trainAccuracy: 1,
          validation: SplitScores(loss: 1, accuracy: validation, f1: 1),
          test: SplitScores(loss: 1, accuracy: test, f1: 1), seconds: 1))
    }
    let history = EpochHistory(metricsPath: path)
    #expect(history.bestByTest?.epoch == 1 && history.bestByValidation?.epoch == 2)
    let summary = RunSummary(
      testAccuracy: 0.625, testLoss: nil, seconds: 1, steps: 4, runDirectory: "a", checkpoint: nil, history: history)
    #expect(
      summary.text.contains(
        """
          test accuracy    62.50 %
            by validation  50.00 % after epoch 3, whose validation accuracy is the best
            best epoch     75.00 % after epoch 2 (an oracle's choice: by the test set itself)
        """))
    #expect(EpochHistory(metricsPath: folder.path("none")).epochs.isEmpty)
  }

  @Test func `a rank's last line names rank, host, step and phase`() {
    #expect(
      Fatal.line(rank: 1, host: "node7", step: 42, phase: "save", message: "no space; free some")
        == "icp: rank 1 host node7 step 42 phase save: no space; free some")
    #expect(
      Fatal.line(rank: 0, host: "a", step: nil, phase: "start", message: "b") == "icp: rank 0 host a phase start: b")
    #expect(ConsoleLogHandler.line(.error, "bad", []) == "icp: error: bad\n")
    #expect(ConsoleLogHandler.line(.info, "resumed", [("step", "4")]) == "icp: resumed step=4\n")
  }
}
