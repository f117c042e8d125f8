import Files
import Foundation

/// `metrics.jsonl`: one record a line, each in one write to a file opened for appending, so that a reader who
/// follows the file, and a kill, see whole lines.
///
/// One thread writes; another may call `synchronize` meanwhile, though not during `truncate`.
package final class MetricsLog: @unchecked Sendable {
  package let path: String
  private let system: System
  private var descriptor: Int32

  package init(path: String, system: System = System()) throws(SaveError) {
    self.path = path
    self.system = system
    do throws(SystemError) {
      descriptor = try Self.open(path, system)
    } catch { throw SaveError(error) }
  }

  deinit { close(descriptor) }

  package func append(_ record: Record) throws(SaveError) {
    let end = lseek(descriptor, 0, SEEK_END)
    do throws(SystemError) {
      try system.write(Array("\(record.json)\n".utf8), to: descriptor, path: path)
    } catch {
      // A full disk takes part of a line; without this the next record would continue it.
      if end >= 0 { _ = ftruncate(descriptor, end) }
      throw SaveError(error)
    }
  }

  /// Waits until the records are on the disk: before a checkpoint that stands for them.
  package func synchronize() throws(SaveError) {
    do throws(SystemError) {
      try system.call("fdatasync", path) { fdatasync(descriptor) }
    } catch { throw SaveError(error) }
  }

  /// Drops the records after `step` and whatever is torn: what a run that resumes from that step will write again.
  /// `unfinishedEpoch`: the epoch that the step lies in the middle of; its record, of a part, goes too.
  package func truncate(afterStep step: Int, unfinishedEpoch: Int? = nil) throws(SaveError) {
    let old: [UInt8]
    do throws(FileError) {
      old = try RegularFile.read(path, followLinks: false)
    } catch { throw SaveError(path: path, reason: error.reason, advice: "look at that disk and at the system's log") }
    let kept = Self.kept(of: Data(old), afterStep: step, unfinishedEpoch: unfinishedEpoch)
    if kept == Data(old), !hasOtherNames { return }
    do throws(SystemError) {
      try AtomicFile(system: system).replace(path, with: Array(kept))
      let replacement = try Self.open(path, system)
      close(descriptor)
      descriptor = replacement
    } catch { throw SaveError(error) }
  }

  /// A copy of the run by `cp -al` has this file too: what is appended here must not appear there.
  private var hasOtherNames: Bool {
    var status = stat()
    return fstat(descriptor, &status) == 0 && status.st_nlink > 1
  }

  /// The lines that are whole JSON objects and whose step, if they have one, is not past `step`. What was measured at
  /// an end goes: the run goes on to another, or measures again.
  static func kept(of text: Data, afterStep step: Int, unfinishedEpoch: Int?) -> Data {
    var kept = Data()
    var rest = text[...]
    while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
      let line = rest[...end]
      rest = rest[(end + 1)...]
      guard let record = (try? JSONSerialization.jsonObject(with: line)) as? [String: Any] else { continue }
      if let found = record["step"] as? Int, found > step { continue }
      switch (record["kind"] as? String).flatMap(Record.Kind.init) {
      case .final: continue
      case .epoch where unfinishedEpoch != nil && record["epoch"] as? Int == unfinishedEpoch: continue
      default: kept.append(line)
      }
    }
    return kept
  }

  /// The file, made where there is none: then its name is on the disk before a checkpoint stands for its records. A
  /// link would send records elsewhere, and a pipe would wait for a reader: neither is opened.
  private static func open(_ path: String, _ system: System) throws(SystemError) -> Int32 {
    let isThere = FileKind(path) != nil
    let descriptor = try system.open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK)
    do throws(SystemError) {
      guard FileKind(of: descriptor) == .regular else { throw SystemError(call: "open", path: path, code: EEXIST) }
      if !isThere { try system.synchronizeDirectory(System.parentDirectory(path)) }
      return descriptor
    } catch {
      close(descriptor)
      throw error
    }
  }
}
