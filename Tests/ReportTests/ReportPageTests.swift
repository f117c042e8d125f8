import Foundation
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(2))) struct ReportPageTests {
  private static let headings = [
    "In short", "Accuracy and loss", "Refinement", "Pictures", "Confusion", "Calibration", "Time", "Configuration",
  ]

  @Test func `the page's numbers are those of metrics.jsonl, and its pictures step from x_0 to x_T`() throws {
    let bench = try ReportBench().train()
    let page = ParsedPage(html: try bench.page())
    for heading in Self.headings { _ = try page.section(heading) }
    #expect(page.html.utf8.count < 5_000_000)

    let epochs = try bench.epochs()
    let accuracy = try page.section("Accuracy and loss")
    let table = try #require(accuracy.range(of: "Numbers by epoch")).upperBound
    let rows = accuracy[table...].components(separatedBy: "<tr>").dropFirst(2)
    #expect(rows.count >= epochs.count && epochs.count == 2)
    for (row, record) in zip(rows, epochs) {
      let shown = Set(ParsedPage.values(row))
      #expect(record["test_accuracy"] != nil && record["train_eval_loss"] != nil)
      for (name, number) in record {
        guard !["epoch", "step", "resident_bytes", "open_files", "threads"].contains(name) else { continue }
        #expect(shown.contains(number), "\(name) \(number)")
      }
    }
    // What is measured anew is what was measured at the run's end.
    let last = try #require(epochs.last)
    let measured = ParsedPage.values(try page.section("Confusion"))
    #expect(measured[0] == 30 && measured[1] == last["test_accuracy"])
    let loss = try #require(last["test_loss"])
    #expect(abs(measured[2] - loss) < 1e-5 * loss)
    #expect(try page.section("Confusion").contains("Measured on all 30 test images"))

    let pictures = try page.section("Pictures")
    #expect(pictures.matches(of: /<figure class="card">/).count == 12)
    #expect(pictures.matches(of: /<img class="x" src="data:image\/png;base64,[A-Za-z0-9+\/=]+"/).count == 12 * 4)
    #expect(pictures.matches(of: /<img class="d" src="data:image\/png;base64,/).count == 12 * 4)
    // Down their own loss: nearly every image's falls at every step.
    let losses = ParsedPage.values(pictures)
    #expect(losses.count == 48)
    let falls = stride(from: 0, to: 48, by: 4).count { losses[$0 + 3] < losses[$0] }
    #expect(falls >= 10)
  }

  @Test func `the same run gives the same page`() throws {
    let bench = try ReportBench().train()
    let first = try bench.page()
    #expect(try bench.page() == first)
    // Under another name of its directory only names differ.
    #expect(
      try ParsedPage(html: bench.page(["./run"])).section("Pictures") == ParsedPage(html: first).section("Pictures"))
  }

  @Test func `names of classes, files and folders are text, whatever they hold`() throws {
    let bench = try ReportBench(
      """
      data: {path: "a & b"}
      model: {kind: resnet8}
      training: {max_steps: 3, batch_size: 4, shards: 1}
      icp: {steps: 1}
      distillation: {warmup: 0}
      """)
    try PictureFolders.write(["<script>alert(1)<", "\"x\" & 'y'"], to: bench.folder.path("a & b"))
    let run = "<b onload='x'>{{title}}"
    try bench.train(into: run)
    let html = try bench.page([run])
    #expect(html.matches(of: /<script/).count == 1 && !html.contains("<b onload"))
    #expect(html.contains("&lt;script&gt;alert(1)&lt;") && html.contains("&quot;x&quot; &amp; &#39;y&#39;"))
    #expect(html.contains("&lt;b onload=&#39;x&#39;&gt;{{title}}"))
  }

  @Test func `a run's trace is shown as phases of a step and as ranks over time`() throws {
    let bench = try ReportBench()
    try bench.icp(["train", "config.yaml", "--run-dir", "run", "--trace", "2-4"]).expect(0)
    let time = try ParsedPage(html: bench.page()).section("Time")
    #expect(time.contains("<figcaption>Ranks over time, steps 2, 3, 4</figcaption>") && time.contains(">rank 0</text>"))
    #expect(time.contains("rank 0, step 3, refinement: "))
    let phases = time[try #require(time.range(of: "Phases of a step, the mean of steps 2 to 4")).upperBound...]
    for name in ["student pass", "refinement", "target pass", "backward pass", "optimiser"] {
      #expect(phases.contains("<td>\(name)</td>"), "\(name)")
    }
    // A file of another's in its place is no trace.
    try bench.folder.write(#"{"traceEvents": [{"cat": "phase", "name": "student", "pid": -1}]}"#, to: "run/trace.json")
    #expect(try ParsedPage(html: bench.page()).missing("Time")[0].contains("this run has no trace"))
  }

  @Test func `what a run does not have is said`() throws {
    let plain = try ReportBench().train(["icp.rule=none"])
    var page = ParsedPage(html: try plain.page())
    #expect(try page.missing("Refinement")[0].hasPrefix("This run had no refinement (icp.rule: none"))
    #expect(
      try page.missing("Pictures")[0].hasPrefix("This run had no refinement, so the images are shown as they are"))
    #expect(try page.section("Pictures").matches(of: /<img class="x"/).count == 12)
    #expect(try !page.section("Pictures").contains("class=\"d\""))
    #expect(page.html.contains("icp train run/config.yaml --set icp.rule=adam --run-dir run-icp"))

    try FileManager.default.removeItem(atPath: plain.folder.path("run/checkpoints"))
    page = ParsedPage(html: try plain.page())
    for section in ["Pictures", "Confusion", "Calibration"] {
      #expect(try page.missing(section)[0].hasPrefix("There are no weights to measure: run: has no checkpoint yet"))
    }
    _ = try plain.icp(["report", "run", "--checkpoint", "best"]).expect(65, "there is no best checkpoint")

    let folders = try ReportBench(
      """
      data: {path: set/train}
      model: {kind: resnet8}
      training: {max_steps: 2, batch_size: 4, shards: 1}
      """)
    try PictureFolders.write(["one", "two"], to: folders.folder.path("set"))
    try folders.train()
    page = ParsedPage(html: try folders.page())
    #expect(try page.missing("Accuracy and loss")[0].hasPrefix("This run has no test set"))
    #expect(try page.missing("Confusion")[0].contains("holds no test images"))
    #expect(page.html.contains("how the network does on new images is not known"))
  }

  @Test func `several runs are overlaid, and a sentence says what they show`() throws {
    let bench = try ReportBench()
    for seed in 0...1 {
      for rule in ["adam", "none"] {
        try bench.train(["training.seed=\(seed)", "icp.rule=\(rule)"], into: "runs/\(rule)-\(seed)")
      }
    }
    // The page of one of them names the other, and how to compare them.
    for (run, other) in [("adam-0", "none-0"), ("none-1", "adam-1")] {
      let html = try bench.page(["runs/\(run)"])
      #expect(html.contains("icp report runs/\(run) runs/\(other)") && !html.contains("--set icp.rule="))
    }
    var page = ParsedPage(html: try bench.page(["runs/adam-0", "runs/none-0"]))
    for heading in Self.headings + ["Comparison"] { _ = try page.section(heading) }
    #expect(try page.section("In short").contains("with one seed each. That shows nothing yet"))
    #expect(try page.section("Accuracy and loss").contains("rule=adam") && page.html.contains("rule=none"))
    #expect(try page.section("Configuration").contains("<td>icp.rule</td><td>adam</td><td>none</td>"))
    #expect(try page.section("Pictures").contains("<h3>runs/adam-0</h3>"))
    page = ParsedPage(html: try bench.page(["runs"]))
    let verdict = try page.section("In short")
    #expect(
      verdict.contains("No difference shown between rule=adam and rule=none") || verdict.contains("than rule=none: its")
    )
    #expect(page.html.utf8.count < 5_000_000)
    // A variant has one colour on all charts, also on those where plain training has no line.
    let colours = page.html.matches(of: #/<span class="swatch (s\d)"></span>rule=(\w+) <data/#)
    #expect(colours.count > 10 && Set(colours.map { "\($0.1) \($0.2)" }).count == 2)
    // Its records say how both did, with all their digits.
    let loss = try #require(bench.epochs(of: "runs/none-1").last?["test_loss"])
    #expect(ParsedPage.values(try page.section("Comparison")).contains(loss))
    _ = try bench.icp(["report", "runs", "--baseline", "nobody"]).expect(64, "--baseline nobody: no such variant")
    _ = try bench.icp(["report", "nothing"]).expect(64, "nothing: no run here")
  }

  @Test func `the page goes where it is told, and nothing else is replaced`() throws {
    let bench = try ReportBench().train(["training.max_steps=1"])
    try bench.icp(["report", "run"]).expect(0)
    #expect(try bench.text("run/report.html").hasPrefix("<!DOCTYPE html>"))
    // Again, over its own.
    try bench.icp(["report", "run"]).expect(0)
    try bench.folder.write("mine", to: "notes")
    _ = try bench.icp(["report", "run", "--output", "notes"]).expect(64, "is not an HTML page, and is not replaced")
    _ = try bench.icp(["report", "run", "--output", "run/metrics.jsonl"]).expect(64, "is a run's records")
    _ = try bench.icp(["report", "run", "--output", "."]).expect(64, "is a directory, which is not replaced")
    _ = try bench.icp(["report", "run", "--output", "/dev/full"]).expect(74, "/dev/full")
    let printed = try Program.run(
      executable: "sh", ["-c", "\"$0\" report run --output /dev/stdout | cat", Program.icp], timeLimit: 60,
      workingDirectory: bench.folder.path)
    #expect(printed.standardOutput == (try bench.text("run/report.html")))
  }

  @Test func `a run whose images have gone is told of by its records`() throws {
    let bench = try ReportBench(
      """
      data: {path: set}
      model: {kind: resnet8}
      training: {max_steps: 2, batch_size: 4, shards: 1}
      """)
    try PictureFolders.write(["one", "two"], to: bench.folder.path("set"))
    try bench.train()
    try FileManager.default.moveItem(atPath: bench.folder.path("set"), toPath: bench.folder.path("moved"))
    let page = ParsedPage(html: try bench.page())
    #expect(try page.missing("Pictures")[0].hasPrefix("The test images cannot be measured: set: "))
    #expect(try ParsedPage(html: bench.page(["run"], ["--set", "data.path=moved"])).missing("Pictures").isEmpty)
  }
}
