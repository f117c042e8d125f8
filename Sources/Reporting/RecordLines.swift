import Files
import Foundation

/// The records of a `metrics.jsonl`, read back.
package enum RecordLines {
  /// In their order; none where the file cannot be read. Torn lines are left out.
  package static func read(_ path: String) -> [[String: Any]] { lines(path).compactMap(record) }

  /// The file's lines, whatever they hold.
  static func lines(_ path: String) -> [Data] {
    let bytes = (try? RegularFile.read(path, followLinks: false)) ?? []
    return Data(bytes).split(separator: UInt8(ascii: "\n"))
  }

  static func record(_ line: Data) -> [String: Any]? {
    (try? JSONSerialization.jsonObject(with: line)) as? [String: Any]
  }
}
