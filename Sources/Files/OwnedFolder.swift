/// A folder that the program writes into under names of its own, such as a run's.
///
/// Nobody else's files are replaced there: where one of the names is taken, the folder must be one that the program has
/// made. Files under other names, such as a log, are the user's and stay.
package struct OwnedFolder: Sendable {
  private let path: String
  private let option: String
  private let files: [String]
  private let folders: [String]

  /// - Parameters:
  ///   - option: the one that names the folder, for messages.
  ///   - files, folders: what the program writes there.
  package init(_ path: String, option: String, files: [String], folders: [String]) {
    self.path = path
    self.option = option
    self.files = files
    self.folders = folders
  }

  /// Throws where the path is one for shells, where a name stands for something that the program does not make, a link
  /// above all: what is written to it would go elsewhere. And where names are taken in a folder that is not the
  /// program's.
  /// - Parameters:
  ///   - what: "a run directory", for messages.
  ///   - isOurs: asked only where a name is taken.
  package func check(_ what: String, isOurs: () -> Bool) throws(SaveError) {
    try ShellPath.check(path, option: option)
    var taken: String?
    for (names, expected) in [(files, FileKind.regular), (folders, .directory)] {
      for name in names {
        guard let kind = FileKind("\(path)/\(name)") else { continue }
        guard kind == expected else {
          throw refusal("\(path)/\(name)", "is \(kind.name), where \(what) has \(expected.name)")
        }
        taken = taken ?? name
      }
    }
    guard let taken, !isOurs() else { return }
    throw refusal(path, "holds \(taken), and is not \(what) of this program")
  }

  private func refusal(_ path: String, _ reason: String) -> SaveError {
    SaveError(path: path, reason: reason, advice: "choose another directory with \(option)", exitCode: 64)
  }
}
