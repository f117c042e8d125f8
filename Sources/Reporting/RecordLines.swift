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

  /// Numbers are to the bit those that were written: JSONSerialization reads 0.06666666666666667 as ...68.
  static func record(_ line: Data) -> [String: Any]? {
    (try? JSONDecoder().decode([String: Field].self, from: line))?.mapValues(\.value)
  }

  /// As JSONSerialization has it: a number, a text, null, or a list of numbers and nulls.
  private struct Field: Decodable {
    let value: Any

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if container.decodeNil() {
        value = NSNull()
      } else if let number = try? container.decode(Double.self) {
        // What is a whole number reads as an Int and as a Double.
        value = Int(exactly: number).map { NSNumber(value: $0) } ?? NSNumber(value: number)
      } else if let text = try? container.decode(String.self) {
        value = text
      } else {
        value = try container.decode([Double?].self).map { $0.map { NSNumber(value: $0) } ?? NSNull() as Any }
      }
    }
  }
}
