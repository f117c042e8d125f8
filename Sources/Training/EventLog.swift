import Files
import Formats
import Foundation
import Glibc
import Reporting
import Runtime

/// The records once more, as TensorBoard reads them. It holds what `metrics.jsonl` does and no more: a start makes it
/// anew from there, so that no step is in it twice, and times stay what they were.
final class EventLog {
  private let path: String
  private let system: System

  init(path: String, system: System) {
    self.path = path
    self.system = system
  }

  /// From the records of `metrics`.
  func rebuild(from metrics: String) throws(SaveError) {
    let times = EventFile.wallTimes((try? RegularFile.read(path, followLinks: false)) ?? [])
    let now = Date().timeIntervalSince1970
    let events = RecordLines.read(metrics).compactMap { record -> EventFile.Event? in
      guard let kind = record["kind"] as? String, let step = record["step"] as? Int else { return nil }
      let numbers = record.compactMapValues { $0 as? Double }
      return Self.event(kind, step: step, numbers, at: times[step] ?? now)
    }
    let first = events.first?.wallTime ?? now
    do throws(SystemError) {
      try AtomicFile(system: system).replace(
        path, with: EventFile.head(wallTime: first) + events.flatMap(EventFile.record))
    } catch { throw SaveError(error) }
  }

  func append(_ record: Record) throws(SaveError) {
    guard case .integer(let step)? = record.values["step"] else { return }
    let event = Self.event(
      record.kind.rawValue, step: step, record.values.numbers, at: Date().timeIntervalSince1970)
    do throws(SystemError) {
      let descriptor = try system.open(path, O_WRONLY | O_APPEND | O_NOFOLLOW)
      defer { close(descriptor) }
      try system.write(EventFile.record(event), to: descriptor, path: path)
    } catch { throw SaveError(error) }
  }

  /// Tags are `step/task_loss`, `epoch/test_accuracy`.
  private static func event(
    _ kind: String, step: Int, _ numbers: [String: Double], at time: Double
  ) -> EventFile.Event {
    let names = numbers.keys.filter { !["step", "epoch"].contains($0) }.sorted()
    return EventFile.Event(
      wallTime: time, step: step,
      values: names.map { EventFile.Event.Value(tag: "\(kind)/\($0)", number: Float(numbers[$0]!)) })
  }
}
