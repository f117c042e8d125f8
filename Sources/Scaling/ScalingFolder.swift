import Files
import Foundation
import Runtime

/// Where a job's measurements lie: `points/NAME.jsonl`, each written whole when its point is done, `probe.jsonl`, and
/// the report.
package struct ScalingFolder: Sendable {
  package let path: String

  package init(_ path: String) { self.path = path }

  package func file(of point: ScalingPoint) -> String { "\(path)/points/\(point.name).jsonl" }
  package var probeFile: String { "\(path)/probe.jsonl" }

  package static let reportNames = [
    "report.md", "points.csv", "summary.jsonl", "weak.svg", "strong.svg", "breakdown.svg", "extra-p.txt", "phases.json",
  ]

  /// Throws where the folder's names are taken by what is not ours.
  package func check(option: String) throws(SaveError) {
    let isOurs = FileKind("\(path)/points") == .directory || (try? probe())?.isEmpty == false
    try OwnedFolder(path, option: option, files: Self.reportNames + ["probe.jsonl"], folders: ["points"]).check(
      "a folder of scaling measurements"
    ) { isOurs }
  }

  package func isDone(_ point: ScalingPoint) -> Bool { FileKind(file(of: point)) == .regular }

  /// Every point that is done, in their order.
  package func points() throws(FileError) -> [MeasuredPoint] {
    let names: [String]
    do { names = try System().list("\(path)/points") } catch {
      throw FileError(path: path, reason: "expected a folder of scaling measurements, with points/ in it")
    }
    var points: [MeasuredPoint] = []
    for name in names where name.hasSuffix(".jsonl") {
      points.append(try MeasuredPoint(path: "\(path)/points/\(name)"))
    }
    guard !points.isEmpty else { throw FileError(path: path, reason: "no point has been measured here yet") }
    let kinds = Set(points.map { "\($0.record.configuration) \($0.record.stretch)" })
    guard kinds.count == 1 else {
      throw FileError(
        path: path, reason: "its points are of different configurations: measure each in a folder of its own")
    }
    return points.sorted {
      ($0.record.series.rawValue, $0.record.ranks, $0.record.round)
        < ($1.record.series.rawValue, $1.record.ranks, $1.record.round)
    }
  }

  /// What `icp scale probe` left; nothing where there is none.
  package func probe() throws(FileError) -> [TransferRecord] {
    guard FileKind(probeFile) == .regular else { return [] }
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    var records: [TransferRecord] = []
    for (index, line) in try Self.read(probeFile).split(separator: "\n").enumerated() {
      guard let record = try? decoder.decodeMeasured(TransferRecord.self, from: Data(line.utf8)) else {
        throw FileError(path: probeFile, reason: "line \(index + 1) is no record of a transfer")
      }
      records.append(record)
    }
    return records
  }

  package static func text(_ records: [TransferRecord]) -> String {
    records.map { JSONText.of($0, snakeCase: true) + "\n" }.joined()
  }

  static func read(_ path: String) throws(FileError) -> String {
    String(decoding: try RegularFile.read(path, followLinks: false), as: UTF8.self)
  }

  /// Whole or not at all.
  package static func write(_ text: String, to path: String, option: String = "--output") throws(SaveError) {
    if let kind = FileKind(path), kind != .regular {
      throw SaveError(
        path: path, reason: "is \(kind.name), where a regular file belongs", advice: "choose another with \(option)",
        exitCode: 64)
    }
    do throws(SystemError) {
      let system = System()
      try system.makeDirectories(System.parentDirectory(path))
      try AtomicFile(system: system).replace(path, with: Array(text.utf8))
    } catch { throw SaveError(error, option: option) }
  }
}
