extension ConfigurationTable {
  /// The key or section that `name` was most likely meant to be: "did you mean 'icp.steps'?".
  package static func hint(for name: String) -> String {
    if byPath[name] != nil {
      return "in a file it is written '\(byPath[name]!.name):' in the section '\(byPath[name]!.group):'"
    }
    // Long names are cut, so that a hostile one costs no more than a long honest one.
    let typed = String(name.prefix(64))
    let candidates = (name.contains(".") ? [] : sections.map(String.init)) + keys.map(\.path) + groups
    let nearest = candidates.min { distance(typed, $0) < distance(typed, $1) }!
    return "did you mean '\(nearest)'?"
  }

  /// The right name in the wrong section, or in none, is two changes away, of a group three; initials, such as `lr`, are
  /// one.
  private static func distance(_ typed: String, _ path: String) -> Int {
    guard let key = byPath[path] else { return editDistance(typed, path) }
    let name = key.name
    let typedName = String(typed.split(separator: ".").last ?? "")
    let initials = name.split(separator: "_").compactMap(\.first)
    let nameDistance =
      initials.count > 1 && typedName == String(initials) ? 1 : editDistance(typedName, String(name))
    return min(editDistance(typed, path), nameDistance + (key.group == key.section ? 2 : 3))
  }

  /// Insertions, deletions, replacements and exchanges of neighbours that turn `a` into `b`
  /// (optimal string alignment); `setps` is one from `steps`.
  package static func editDistance(_ a: String, _ b: String) -> Int {
    let (a, b) = (Array(a.unicodeScalars), Array(b.unicodeScalars))
    var beforeLast: [Int] = []
    var last = Array(0...b.count)
    for i in a.indices {
      var row = [i + 1]
      for j in b.indices {
        var best = min(row[j] + 1, last[j + 1] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { best = min(best, beforeLast[j - 1] + 1) }
        row.append(best)
      }
      (beforeLast, last) = (last, row)
    }
    return last[b.count]
  }
}
