/// The beginning of names, in whole parts: `layer1` stands for `layer1.0.conv1.weight`, and not for `layer10.weight`.
package enum NamePrefix {
  package static func covers(_ prefix: String, _ name: String) -> Bool {
    guard !prefix.isEmpty, name.hasPrefix(prefix) else { return false }
    guard let next = name.dropFirst(prefix.count).first, let last = prefix.last else { return true }
    return separators.contains(next) || separators.contains(last)
  }

  /// What stands for some of `names`: each of them, and what stands before each of its separators.
  package static func all(of names: [String]) -> [String] {
    var seen: Set<String> = []
    return names.flatMap { name in
      name.indices.filter { separators.contains(name[$0]) && $0 > name.startIndex }.map { String(name[..<$0]) } + [name]
    }.filter { seen.insert($0).inserted }
  }

  private static let separators: [Character] = [".", "/"]
}
