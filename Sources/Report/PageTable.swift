import Reporting

/// Rows and columns, as the template writes them.
struct PageTable {
  struct Cell {
    let text: String
    /// The number with all its digits, as the records have it.
    let exact: String?

    init(_ text: String, exact: Double? = nil) {
      self.text = text
      self.exact = exact.map { "\($0)" }
    }

    /// Empty where there is none.
    init(_ value: Double?, isFraction: Bool = false) {
      self.init(value.map { Chart.number($0, isFraction) } ?? "", exact: value)
    }
  }

  struct Row {
    let cells: [Cell]
  }

  let caption: String
  let header: [String]
  let rows: [Row]
  /// Shown when it is asked for.
  let isFolded: Bool

  init(_ caption: String, header: [String], rows: [[Cell]], isFolded: Bool = false) {
    self.caption = caption
    self.header = header
    self.rows = rows.map(Row.init)
    self.isFolded = isFolded
  }
}
