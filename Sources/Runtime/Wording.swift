/// "a, b, c and 5 more"
package func listed(_ names: [String], most: Int = 4) -> String {
  guard names.count > most else { return names.joined(separator: ", ") }
  return names.prefix(most).joined(separator: ", ") + " and \(names.count - most) more"
}

/// "1 rank", "2 ranks"
package func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }
