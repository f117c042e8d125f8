import Foundation

/// What only a shell makes of a path: `~` and `$NAME`, which come to us as they stand where they were quoted or lie in
/// a file.
package enum ShellPath {
  /// "; '~' is ...: write /home/me/data"; empty where `path` has nothing of the kind, or where something is there.
  package static func hint(_ path: String) -> String {
    var status = stat()
    guard path.hasPrefix("~") || path.contains("$"), stat(path, &status) != 0, errno == ENOENT else { return "" }
    let whole = expanded(path).map { ": write \($0)" } ?? ": write the whole path"
    return "; '\(path.hasPrefix("~") ? "~" : "$")' is replaced by shells, not here\(whole)"
  }

  /// Throws where there is no name at all, and where a new file or folder would be called `~` or `$NAME`, or lie in one
  /// that is: nobody means that, and who removes such a folder by hand may remove all that is theirs. `./~` is taken at
  /// its word.
  package static func check(_ path: String, option: String) throws(SaveError) {
    guard !path.isEmpty else {
      throw SaveError(path: option, reason: "is empty", advice: "name a place with it", exitCode: 64)
    }
    let first = path.prefix { $0 != "/" }
    let isForShell = first.hasPrefix("~") || first.hasPrefix("${") || first.wholeMatch(of: /\$[A-Za-z_]\w*/) != nil
    guard isForShell, FileKind(String(first)) == nil else { return }
    let sign = first.hasPrefix("~") ? "~" : "$"
    throw SaveError(
      path: path, reason: "'\(sign)' is replaced by shells, not here",
      advice: "write \(expanded(path) ?? "the whole path") with \(option), or ./\(path) if that is its name",
      exitCode: 64)
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
