import Foundation

/// The records of a `metrics.jsonl`, read back.
package enum RecordLines {
  /// In their order; none where the file cannot be read. Torn lines are left out.
  package static func read(_ path: String) -> [[String: Any]] {
    (FileManager.default.contents(atPath: path) ?? Data()).split(separator: UInt8(ascii: "\n")).compactMap { line in
      (try? JSONSerialization.jsonObject(with: line)) as? [String: Any]
    }
  }
}
