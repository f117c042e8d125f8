/// Rows of text in aligned columns.
package enum Table {
  package enum Alignment: Sendable { case left, right }

  /// `header` over `rows`, two spaces between columns; a column without an alignment is left-aligned.
  /// - Precondition: every row has as many cells as the header.
  package static func text(header: [String], rows: [[String]], alignments: [Alignment] = []) -> String {
    precondition(rows.allSatisfy { $0.count == header.count }, "every row needs \(header.count) cells")
    let widths = header.indices.map { column in ([header] + rows).map { $0[column].count }.max()! }
    let lines = ([header] + rows).map { row in
      let cells = row.indices.map { column in
        pad(row[column], to: widths[column], column < alignments.count ? alignments[column] : .left)
      }
      let line = cells.joined(separator: "  ")
      return String(line.reversed().drop { $0 == " " }.reversed())
    }
    return lines.joined(separator: "\n")
  }

  /// 1234567 as "1,234,567".
  package static func grouped(_ value: Int) -> String {
    let digits = String(value.magnitude)
    let groups = stride(from: digits.count, to: 0, by: -3).map { end in
      digits.dropLast(digits.count - end).suffix(3)
    }
    return (value < 0 ? "-" : "") + groups.reversed().joined(separator: ",")
  }

  static func pad(_ text: String, to width: Int, _ alignment: Alignment = .right) -> String {
    let spaces = String(repeating: " ", count: max(0, width - text.count))
    return alignment == .right ? spaces + text : text + spaces
  }
}
