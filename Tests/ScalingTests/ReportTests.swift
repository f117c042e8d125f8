import Files
import Scaling
import TestSupport
import Testing

@Suite struct ScalingReportTests {
  private func measurements(_ ranks: [Int] = [1, 2, 4, 8], _ made: MadePoints = MadePoints()) -> ScalingMeasurements {
    let points = ranks.flatMap { count in
      [ScalingSeries.weak, .strong].flatMap { series in
        (1...2).map { made.point(series, ranks: count, round: $0) }
      }
    }
    return ScalingMeasurements(name: "made", points: points + [made.point(.whole, ranks: 1)])
  }

  @Test func `a plan has every point once, in another order each round, and the same for a seed`() throws {
    let plan = try ScalingPlan(counts: [4, 1, 2, 2], series: [.weak, .strong, .whole], rounds: 5, seed: 7)
    let points = plan.points
    #expect(plan.counts == [1, 2, 4] && points.count == 35 && Set(points).count == 35)
    let orders = Set((1...5).map { round in points.filter { $0.round == round }.map { "\($0.series) \($0.ranks)" } })
    #expect(orders.count > 1)
    #expect(points.map(\.round) == points.map(\.round).sorted())
    #expect(try ScalingPlan(counts: [1, 2, 4], series: ScalingSeries.allCases, rounds: 5, seed: 7).points == points)
    #expect(ScalingPlan.powers(upTo: 6) == [1, 2, 4, 6] && ScalingPlan.powers(upTo: 1) == [1])
    #expect(throws: (any Error).self) { _ = try ScalingPlan(counts: [0], series: [.weak], rounds: 1, seed: 1) }
  }

  @Test func `a point is read as it was written, and a torn one is refused with its line`() throws {
    let point = MadePoints().point(.strong, ranks: 4, round: 3)
    let read = try MeasuredPoint(text: point.text, path: "x")
    #expect(read.text == point.text)
    #expect(read.record.point.name == "strong-0004-3")
    #expect(throws: FileError.self) { _ = try MeasuredPoint(text: String(point.text.dropLast(20)), path: "x") }
    #expect(throws: FileError.self) { _ = try MeasuredPoint(text: "", path: "x") }
  }

  /// A key of a line's kind, and a value that would divide by zero, overflow or be looked for in vain.
  @Test(arguments: [
    ("point", "ranks", "0"), ("point", "ranks", "3"), ("point", "hosts", "[]"), ("point", "shards", "0"),
    ("point", "shards", "9223372036854775807"), ("point", "batch_size", "-1"), ("point", "buckets", "0"),
    ("point", "stretch", "0"), ("step", "rank", "1"), ("step", "rank", "-1"), ("step", "end", "-1"),
    ("step", "arrive", "1e300"), ("step", "data", "99"), ("sum", "seconds", "[]"), ("sum", "seconds", "[0]"),
    ("sum", "hosts", "[]"), ("sum", "bytes", "-1"),
  ])
  func `numbers that no measurement leaves are refused`(kind: String, key: String, value: String) throws {
    let text = MadePoints().point(.weak, ranks: 2).text
    var lines = text.split(separator: "\n").map(String.init)
    let line = try #require(lines.firstIndex { $0.contains("\"kind\":\"\(kind)\"") })
    let old = try Regex("\"\(key)\":(\\[[^\\]]*\\]|[^,}]+)")
    #expect(lines[line].contains(old))
    lines[line].replace(old, with: "\"\(key)\":\(value)")
    #expect(throws: FileError.self) { _ = try MeasuredPoint(text: lines.joined(separator: "\n"), path: "x") }
  }

  @Test func `a folder knows what is done, refuses what does not belong together, and keeps others' files`() throws {
    let temporary = try TemporaryDirectory()
    let folder = ScalingFolder(temporary.path("scaling"))
    let point = MadePoints().point(.weak, ranks: 2)
    #expect(!folder.isDone(point.record.point))
    try ScalingFolder.write(point.text, to: folder.file(of: point.record.point))
    #expect(folder.isDone(point.record.point))
    #expect(try folder.points().count == 1 && folder.probe().isEmpty)
    var other = MadePoints()
    other.stretch = 4
    let stretched = other.point(.weak, ranks: 4)
    try ScalingFolder.write(stretched.text, to: folder.file(of: stretched.record.point))
    #expect(throws: FileError.self) { _ = try folder.points() }

    // The probe comes first.
    let probe = TransferRecord(kind: .exchange, link: .host, hosts: ["a", "a"], bytes: 8, seconds: [1e-6])
    try temporary.write(ScalingFolder.text([probe]), to: "probed/probe.jsonl")
    try ScalingFolder(temporary.path("probed")).check(option: "--output")
    try temporary.write("mine", to: "taken/report.md")
    #expect(throws: SaveError.self) { try ScalingFolder(temporary.path("taken")).check(option: "--output") }
  }

  @Test func `the report says counts, parts, the model's trial and what it foretells`() {
    let link = ScalingForecast.Link(name: "10gbit", latency: 30e-6, byte: 8e-10)
    let report = ScalingReport(measurements(), ScalingReport.Options(mostRanks: 64, links: [link]))
    let text = report.markdown
    for part in [
      "## Weak scaling", "## Strong scaling", "quantisation", "small shards", "| held out |", "Predicted over 10gbit",
      "Predicted over the links that were measured", "between hosts 2000.0 us an exchange",
    ] { #expect(text.contains(part), "\(part)\n\(text)") }
    #expect(report.csv.split(separator: "\n").count == 1 + 17)
    #expect(report.jsonLines.contains("\"kind\":\"held_out\""))
    #expect(report.plot(of: .weak).contains("<svg") && report.breakdownPlot.contains("<svg"))
    // Two counts are measured and told, and nothing is made of them.
    #expect(ScalingReport(measurements([1, 2])).markdown.contains("takes three counts"))
  }

  @Test func `Extra-P gets a line a count, its rounds side by side`() {
    let lines = ScalingReport(measurements()).extraP.split(separator: "\n").map(String.init)
    #expect(lines[0] == "PARAMETER ranks" && lines[1] == "POINTS 1 2 4 8" && lines[2] == "REGION weak")
    #expect(lines[3] == "METRIC step" && lines[4].hasPrefix("DATA ") && lines[4].split(separator: " ").count == 3)
    #expect(lines.count { $0.hasPrefix("DATA") } == 2 * 4 * 4)
  }

  @Test func `two folders are compared count by count`() {
    var slower = MadePoints()
    slower.shard *= 1.5
    let text = ScalingComparison(measurements(), measurements([1, 2], slower)).markdown
    #expect(text.contains("| B / A |") && text.contains("1.4"))
    #expect(text.split(separator: "\n").count { $0.hasPrefix("| 4 |") } == 0)
  }

  @Test func `phases are those of one rank of the weak series`() throws {
    let phases = try #require(EmulatedPhases([1, 2].map { MadePoints().point(.weak, ranks: $0) }))
    #expect(phases.steps.count == 12 && phases.samplesOfShard == 16 && isClose(phases.steps[0].backward, 0.03))
    #expect(EmulatedPhases([MadePoints().point(.weak, ranks: 2)]) == nil)
    let temporary = try TemporaryDirectory()
    try temporary.write(phases.text, to: "phases.json")
    #expect(try EmulatedPhases(path: temporary.path("phases.json")).steps.count == 12)
    try temporary.write(phases.text.replacing("0.03", with: "-1"), to: "bad.json")
    #expect(throws: FileError.self) { _ = try EmulatedPhases(path: temporary.path("bad.json")) }
  }

  @Test func `the roofline is the link's own speed by the sum's`() throws {
    let hosts = ["a", "b"]
    let made = MadePoints()
    let probe = [
      TransferRecord(kind: .exchange, link: .network, hosts: hosts, bytes: 1000, seconds: [1e-3]),
      TransferRecord(kind: .sum, link: .network, hosts: hosts, bytes: 2000, seconds: [4e-3], overlap: 0.5),
    ]
    let measurements = ScalingMeasurements(name: "x", points: [made.point(.weak, ranks: 2)], probe: probe)
    // 1.5 (n - 1) / n is 0.75 of two: 1,500 bytes at 1 MB/s.
    #expect(isClose(try #require(measurements.roofline(probe[1])), 0.375))
    var within = probe[1]
    within.hosts = ["a", "a"]
    #expect(measurements.roofline(within) == nil)
  }
}
