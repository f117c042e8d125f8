import Files
import Foundation

/// The records of a `metrics.jsonl` as rows and columns: a column a number, in the order in which the records name
/// them.
package struct RecordTable {
  package let header: [String]
  package let rows: [[String]]

  /// - Parameter kind: those of this kind alone; nil takes all, with a first column that says which.
  package init(_ path: String, kind: Record.Kind?) {
    var header: [String] = kind == nil ? ["kind"] : []
    var places: [String: Int] = ["kind": 0]
    var found: [[(Int, String)]] = []
    for line in RecordLines.lines(path) {
      guard let record = RecordLines.record(line), let own = record["kind"] as? String,
        kind == nil || kind?.rawValue == own
      else { continue }
      var row: [(Int, String)] = kind == nil ? [(0, own)] : []
      for name in Self.names(line, record) where name != "kind" {
        // A list has a column an entry.
        let values = record[name] as? [Any] ?? [record[name] ?? NSNull()]
        let isList = record[name] is [Any]
        for (index, value) in values.enumerated() {
          let column = isList ? "\(name)_\(index)" : name
          let place = places[column] ?? header.count
          if place == header.count {
            places[column] = place
            header.append(column)
          }
          row.append((place, Self.text(value)))
        }
      }
      found.append(row)
    }
    self.header = header
    rows = found.map { row in
      var cells = [String](repeating: "", count: header.count)
      for (place, text) in row { cells[place] = text }
      return cells
    }
  }

  /// The record's names as they stand in the line, whose numbers and names hold no quotes.
  private static func names(_ line: Data, _ record: [String: Any]) -> [String] {
    let words = String(decoding: line, as: UTF8.self).split(separator: "\"").map(String.init)
    var names: [String] = []
    for (word, next) in zip(words, words.dropFirst()) where next.hasPrefix(":") && record[word] != nil {
      if !names.contains(word) { names.append(word) }
    }
    return names
  }

  private static func text(_ value: Any) -> String {
    (value as? Int).map { "\($0)" } ?? (value as? Double).map { "\($0)" } ?? ""
  }

  package var csv: String { ([header] + rows).map(CSVText.line).joined() }

  /// For people.
  package var text: String {
    rows.isEmpty ? "no record" : Table.text(header: header, rows: rows, alignments: header.map { _ in .right })
  }
}
