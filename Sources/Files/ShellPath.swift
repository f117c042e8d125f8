import Foundation

/// What only a shell makes of a path: `~` and `$NAME`, which come to us as they stand where they were quoted or lie in
/// a file.
package enum ShellPath {
  /// "; '~' is ...: write /home/me/data"; empty where `path` has nothing of the kind.
  package static func hint(_ path: String) -> String {
    guard path.hasPrefix("~") || path.contains("$") else { return "" }
    let whole = expanded(path).map { ": write \($0)" } ?? ": write the whole path"
    return "; '\(path.hasPrefix("~") ? "~" : "$")' is replaced by shells, not here\(whole)"
  }

  /// `path` with `~`, `$HOME` or `${HOME}` at its start replaced; nil for anything else.
  private static func expanded(_ path: String) -> String? {
    guard let home = ProcessInfo.processInfo.environment["HOME"], !home.isEmpty else { return nil }
    for start in ["~", "$HOME", "${HOME}"] where path == start || path.hasPrefix("\(start)/") {
      return home + path.dropFirst(start.count)
    }
    return nil
  }
}
