import Files
import Foundation

/// The records of a `metrics.jsonl`, read back.
package enum RecordLines {
  /// In their order; none where the file cannot be read. Torn lines are left out.
  package static func read(_ path: String) -> [[String: Any]] {
    let bytes = (try? RegularFile.read(path, followLinks: false)) ?? []
    return Data(bytes).split(separator: UInt8(ascii: "\n")).compactMap { line in
      (try? JSONSerialization.jsonObject(with: line)) as? [String: Any]
    }
  }
}
