import Foundation
import TestSupport
import Testing

@Suite(.serialized, .timeLimit(.minutes(1))) struct MetricsTests {
  @Test func `records come out as CSV, a column a number with all its digits`() throws {
    let tiny = try TinyRun()
    try tiny.train(["evaluation.every_steps=3"]).expect(0)
    func rows(_ options: [String]) throws -> [[String: String]] {
      let outcome = try tiny.command(["metrics", "run", "--csv"] + options)
      outcome.expect(0)
      let lines = outcome.standardOutput.split(separator: "\n").map {
        $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
      }
      return lines.dropFirst().map { Dictionary(uniqueKeysWithValues: zip(lines[0], $0)) }
    }
    for (kind, options, count) in [
      ("epoch", [], 4), ("step", ["--kind", "step"], 20), ("evaluation", ["--kind", "evaluation"], 5),
    ] as [(String, [String], Int)] {
      let found = try rows(options)
      let records = try tiny.records().filter { $0.kind == kind }
      #expect(found.count == count && records.count == count, "\(kind)")
      for (row, record) in zip(found, records) {
        for (name, value) in record.values where name != "kind" {
          if let list = value as? [Double] {
            for (index, entry) in list.enumerated() { #expect(Double(row["\(name)_\(index)"] ?? "") == entry) }
          } else {
            #expect(Double(row[name] ?? "?") == (value as? Double), "\(name)")
          }
        }
      }
    }
    let all = try rows(["--kind", "all"])
    #expect(all.count == 29 && Set(all.map { $0["kind"] }) == ["step", "evaluation", "epoch"])
    let text = try tiny.command(["metrics", "run"])
    text.expect(0)
    #expect(text.standardOutput.split(separator: "\n").count == 5 && text.standardOutput.contains("test_accuracy"))
    try tiny.command(["metrics", "nowhere"]).expect(64, "no such directory")
    try tiny.command(["metrics", "."]).expect(64, "is no run's directory: it has no metrics.jsonl")
  }
}
