import Foundation
import TestSupport
import Testing

/// A folder in which runs are trained and pages made of them, from outside as a user does.
struct ReportBench {
  let folder: TemporaryDirectory

  /// Three classes of drawn characters would be too easy: 70 images of ten, 8 steps, well below a second.
  static let configuration = """
    data: {format: glyphs, limit: 70, test_limit: 30, size: 12}
    model: {kind: resnet8}
    training: {epochs: 2, batch_size: 20, shards: 2}
    icp: {steps: 3}
    distillation: {warmup: 0}
    logging: {every_steps: 1}
    """

  init(_ configuration: String = Self.configuration) throws {
    folder = try TemporaryDirectory()
    try folder.write(configuration, to: "config.yaml")
  }

  @discardableResult
  func train(_ settings: [String] = [], into run: String = "run") throws -> ReportBench {
    try icp(["train", "config.yaml", "--run-dir", run], settings).expect(0)
    return self
  }

  func icp(_ arguments: [String], _ settings: [String] = []) throws -> Program.Outcome {
    try Program.run(
      arguments + settings.flatMap { ["--set", $0] }, timeLimit: 60, workingDirectory: folder.path)
  }

  /// The page of these runs.
  func page(_ runs: [String] = ["run"], _ options: [String] = []) throws -> String {
    try icp(["report"] + runs + ["--output", "page.html"] + options).expect(0)
    return try text("page.html")
  }

  func text(_ name: String) throws -> String { try String(contentsOfFile: folder.path(name), encoding: .utf8) }

  /// The numbers of the epochs' records.
  func epochs(of run: String = "run") throws -> [[String: Double]] {
    try text("\(run)/metrics.jsonl").split(separator: "\n").filter { $0.hasPrefix(#"{"kind":"epoch""#) }
      .map { exactNumbers(ofLine: $0) }
  }
}

/// A page taken apart, as far as tests look at it.
struct ParsedPage {
  let html: String

  /// The part between the heading of a section and the next section.
  func section(_ heading: String) throws -> String {
    let start = try #require(html.range(of: "<h2>\(heading)</h2>"), "no section \(heading)")
    let rest = html[start.upperBound...]
    return String(rest[..<(rest.range(of: "</section>")?.lowerBound ?? rest.endIndex)])
  }

  /// The sentences that say what is missing.
  func missing(_ heading: String) throws -> [String] {
    try section(heading).matches(of: /<p class="missing">([^<]*)<\/p>/).map { String($0.1) }
  }

  /// The numbers with all their digits, in their order.
  static func values(_ text: String) -> [Double] {
    text.matches(of: /<data value="([^"]*)">/).compactMap { Double($0.1) }
  }
}
