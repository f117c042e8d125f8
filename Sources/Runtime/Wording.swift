/// "a, b, c and 5 more"
package func listed(_ names: [String], most: Int = 4) -> String {
  guard names.count > most else { return names.joined(separator: ", ") }
  return names.prefix(most).joined(separator: ", ") + " and \(names.count - most) more"
}

/// "1 rank", "2 ranks", "3 classes", "4 entries"
package func counted(_ count: Int, _ noun: String) -> String { "\(count) \(count == 1 ? noun : plural(noun))" }

private func plural(_ noun: String) -> String {
  if noun.hasSuffix("s") { return noun + "es" }
  if noun.hasSuffix("ry") { return noun.dropLast() + "ies" }
  return noun + "s"
}
