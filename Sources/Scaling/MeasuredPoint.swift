import Files
import Foundation

/// A point's file: a line about the point, one of every rank and step, and one of every size of which the sum alone was
/// timed.
package struct MeasuredPoint: Sendable {
  package let record: PointRecord
  package let steps: [StepRecord]
  package let transfers: [TransferRecord]

  package init(record: PointRecord, steps: [StepRecord], transfers: [TransferRecord]) {
    self.record = record
    self.steps = steps
    self.transfers = transfers
  }

  /// JSON lines.
  package var text: String {
    ([JSONText.of(record, snakeCase: true)] + steps.map { JSONText.of($0, snakeCase: true) }
      + transfers.map { JSONText.of($0, snakeCase: true) }).joined(separator: "\n") + "\n"
  }

  /// Throws: FileError with the line.
  package init(text: String, path: String) throws(FileError) {
    struct Line: Decodable { var kind: String }
    var record: PointRecord?
    var steps: [StepRecord] = []
    var transfers: [TransferRecord] = []
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    for (index, line) in text.split(separator: "\n").enumerated() {
      let data = Data(line.utf8)
      do {
        switch try decoder.decode(Line.self, from: data).kind {
        case "point": record = try decoder.decodeMeasured(PointRecord.self, from: data)
        case "step": steps.append(try decoder.decodeMeasured(StepRecord.self, from: data))
        default: transfers.append(try decoder.decodeMeasured(TransferRecord.self, from: data))
        }
      } catch {
        throw FileError(path: path, reason: "line \(index + 1) is no record of a scaling point")
      }
    }
    guard let record, !steps.isEmpty else {
      throw FileError(path: path, reason: "expected the records of a scaling point, found no step")
    }
    self.init(record: record, steps: steps, transfers: transfers)
    guard [true, false].flatMap({ self.steps(overlap: $0) }).allSatisfy({ $0.map(\.rank) == Array(0..<record.ranks) })
    else { throw FileError(path: path, reason: "expected one record of each of \(record.ranks) ranks for each step") }
  }

  package init(path: String) throws(FileError) {
    try self.init(text: try ScalingFolder.read(path), path: path)
  }

  /// In the time of what is emulated: as recorded where nothing is.
  package var unstretched: MeasuredPoint {
    guard record.stretch != 1 else { return self }
    return MeasuredPoint(
      record: record, steps: steps.map { $0.shortened(by: record.stretch) },
      transfers: transfers.map { $0.shortened(by: record.stretch) })
  }

  /// The steps with overlap, or those without, each as the ranks in order.
  package func steps(overlap: Bool) -> [[StepRecord]] {
    let chosen = Dictionary(grouping: steps.filter { $0.overlap == overlap }, by: \.step)
    return chosen.sorted { $0.key < $1.key }.map { $0.value.sorted { $0.rank < $1.rank } }
  }
}
