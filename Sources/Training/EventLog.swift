import Dispatch
import Files
import Formats
import Foundation
import Glibc
import Reporting
import Runtime
import Synchronization

/// What TensorBoard reads of a run: the numbers of `metrics.jsonl`, what the run was told, histograms and pictures. It
/// is written in the background, and nothing waits for it.
///
/// A start makes it anew from the records, and from the histograms and pictures that are there already: so that no step
/// is in it twice, and times stay what they were.
final class EventLog: Sendable {
  private let path: String
  private let system: System
  /// In their order, and one at a time.
  private let queue = DispatchQueue(label: "icp events", qos: .utility)
  private let group = DispatchGroup()
  private let error = Mutex<SaveError?>(nil)

  init(path: String, system: System) {
    self.path = path
    self.system = system
  }

  /// Why nothing is written any more.
  var failure: SaveError? { error.withLock { $0 } }

  /// From the records of `metrics`. Histograms and pictures stay of the steps that `keeps` tells.
  func rebuild(
    from metrics: String, session: [(name: String, value: EventFile.Event.Setting)], keeps: (Int) -> Bool
  ) throws(SaveError) {
    finish()
    let stored = EventFile.stored((try? RegularFile.read(path, followLinks: false)) ?? [])
    let times = Dictionary(stored.filter(\.isOfNumbers).map { ($0.step, $0.wallTime) }) { $1 }
    let now = Date().timeIntervalSince1970
    let numbers = RecordLines.read(metrics).compactMap { record -> (step: Int, bytes: [UInt8])? in
      guard let kind = record["kind"] as? String, let step = record["step"] as? Int else { return nil }
      let values = record.compactMapValues { $0 as? Double }
      return (
        step,
        EventFile.record(.init(wallTime: times[step] ?? now, step: step, values: Self.values(kind, values)))
      )
    }
    let others = stored.filter { !$0.isOfNumbers && $0.step > 0 && keeps($0.step) }.map { ($0.step, $0.bytes) }
    let began = stored.first?.wallTime ?? now
    let told = EventFile.Event(
      wallTime: began, step: 0, values: [.init(tag: EventFile.sessionTag, .session(session))])
    let events = (numbers + others).enumerated().sorted { ($0.element.0, $0.offset) < ($1.element.0, $1.offset) }
    do throws(SystemError) {
      try AtomicFile(system: system).replace(
        path,
        with: EventFile.head(wallTime: began) + EventFile.record(told) + events.flatMap(\.element.1))
    } catch { throw SaveError(error) }
  }

  func append(_ record: Record) {
    guard case .integer(let step)? = record.values["step"] else { return }
    let values = Self.values(record.kind.rawValue, record.values.numbers)
    append(step: step) { values }
  }

  /// `values` are made in the background too.
  func append(step: Int, _ values: @escaping @Sendable () -> [EventFile.Event.Value]) {
    let time = Date().timeIntervalSince1970
    queue.async(group: group) { [self] in
      guard failure == nil else { return }
      do throws(SystemError) {
        let descriptor = try system.open(path, O_WRONLY | O_APPEND | O_NOFOLLOW)
        defer { close(descriptor) }
        let event = EventFile.Event(wallTime: time, step: step, values: values())
        try system.write(EventFile.record(event), to: descriptor, path: path)
      } catch { self.error.withLock { $0 = SaveError(error) } }
    }
  }

  /// Lets what is under way end, but not for ever: a disk may hang.
  func finish() { _ = group.wait(timeout: .now() + 3) }

  /// Tags are `step/task_loss`, `epoch/test_accuracy`.
  private static func values(_ kind: String, _ numbers: [String: Double]) -> [EventFile.Event.Value] {
    numbers.keys.filter { !["step", "epoch"].contains($0) }.sorted().map {
      EventFile.Event.Value(tag: "\(kind)/\($0)", number: Float(numbers[$0]!))
    }
  }
}
