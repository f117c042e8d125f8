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
      let lines = try String(contentsOfFile: tiny.path("run/metrics.jsonl"), encoding: .utf8).split(separator: "\n")
        .filter { $0.hasPrefix("{\"kind\":\"\(kind)\"") }
      let records = try tiny.records().filter { $0.kind == kind }
      #expect(lines.count == count)
      for (row, line) in zip(found, lines) {
        for (name, number) in exactNumbers(ofLine: line) { #expect(Double(row[name] ?? "") == number, "\(name)") }
      }
      #expect(found.count == count && records.count == count, "\(kind)")
      for (row, record) in zip(found, records) {
        for (name, value) in record.values where name != "kind" {
          if let list = value as? [Double] {
            for index in list.indices { #expect(Double(row["\(name)_\(index)"] ?? "") != nil, "\(name)") }
          } else if value is NSNull {
            #expect(row[name]?.isEmpty == true, "\(name)")
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
