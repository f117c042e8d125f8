import Foundation
import Runtime

/// A record that could not be written.
package struct RecordError: ExitCoded, CustomStringConvertible {
  package let path: String
  package let reason: String
  /// EX_IOERR
  package let exitCode: Int32 = 74

  init(path: String, call: String, code: Int32 = errno) {
    let advice =
      code == ENOSPC || code == EDQUOT ? "; free some space there, or choose another --run-dir" : ""
    (self.path, reason) = (path, "\(call): \(String(cString: strerror(code)))\(advice)")
  }

  package var description: String { "\(path): \(reason)" }
}

/// `metrics.jsonl`: one record a line, each in one write to a file opened for appending, so that a reader who
/// follows the file, and a kill, see whole lines.
///
/// One thread writes; another may call `synchronize` meanwhile, though not during `truncate`.
package final class MetricsLog: @unchecked Sendable {
  package let path: String
  private var descriptor: Int32

  package init(path: String) throws(RecordError) {
    self.path = path
    descriptor = try Self.open(path)
  }

  deinit { close(descriptor) }

  package func append(_ record: StepRecord) throws(RecordError) { try append(line: record.json) }
  package func append(_ record: EpochRecord) throws(RecordError) { try append(line: record.json) }
  package func append(_ record: FinalRecord) throws(RecordError) { try append(line: record.json) }

  /// Waits until the records are on the disk: before a checkpoint that stands for them.
  package func synchronize() throws(RecordError) {
    guard fdatasync(descriptor) == 0 else {
      // A pipe or /dev/null has nothing to synchronise.
      if errno == EINVAL { return }
      throw RecordError(path: path, call: "fdatasync")
    }
  }

  /// Drops the records after `step` and whatever is torn: what a run that resumes from that step will write again.
  /// `unfinishedEpoch`: the epoch that the step lies in the middle of; its record, of a part, goes too.
  package func truncate(afterStep step: Int, unfinishedEpoch: Int? = nil) throws(RecordError) {
    guard let old = FileManager.default.contents(atPath: path) else {
      throw RecordError(path: path, call: "read", code: EIO)
    }
    let kept = Self.kept(of: old, afterStep: step, unfinishedEpoch: unfinishedEpoch)
    if kept == old { return }
    // Beside the old one and renamed over it: a kill leaves the one or the other.
    let temporary = "\(path).tmp.\(getpid())"
    defer { unlink(temporary) }
    unlink(temporary)
    let replacement = try Self.open(temporary)
    do throws(RecordError) {
      try Self.write(kept, to: replacement, path: temporary)
      guard fsync(replacement) == 0 else { throw RecordError(path: temporary, call: "fsync") }
      guard rename(temporary, path) == 0 else { throw RecordError(path: path, call: "rename") }
    } catch {
      close(replacement)
      throw error
    }
    close(descriptor)
    descriptor = replacement
  }

  /// The lines that are whole JSON objects and whose step, if they have one, is not past `step`. What was measured at an end
  /// goes: the run goes on to another, or measures again.
  static func kept(of text: Data, afterStep step: Int, unfinishedEpoch: Int?) -> Data {
    var kept = Data()
    var rest = text[...]
    while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
      let line = rest[...end]
      rest = rest[(end + 1)...]
      guard let record = (try? JSONSerialization.jsonObject(with: line)) as? [String: Any] else { continue }
      if let found = record["step"] as? Int, found > step { continue }
      if record["kind"] as? String == "final" { continue }
      if let unfinishedEpoch, record["kind"] as? String == "epoch", record["epoch"] as? Int == unfinishedEpoch {
        continue
      }
      kept.append(line)
    }
    return kept
  }

  private func append(line: String) throws(RecordError) {
    let end = lseek(descriptor, 0, SEEK_END)
    do throws(RecordError) {
      try Self.write(Data("\(line)\n".utf8), to: descriptor, path: path)
    } catch {
      // A full disk takes part of a line; without this the next record would continue it.
      if end >= 0 { _ = ftruncate(descriptor, end) }
      throw error
    }
  }

  private static func open(_ path: String) throws(RecordError) -> Int32 {
    let descriptor = Foundation.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw RecordError(path: path, call: "open") }
    return descriptor
  }

  private static func write(_ bytes: Data, to descriptor: Int32, path: String) throws(RecordError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress!, $0.count) }
      if count >= 0 {
        rest = rest.dropFirst(count)
      } else if errno != EINTR {
        throw RecordError(path: path, call: "write")
      }
    }
  }
}
