import Foundation

/// Large reference files that stand beside the repository, in `../shared`, and are not part of it.
package enum SharedFiles {
  /// The path of a file or folder in `../shared`, or nil: then the test that asked has nothing to compare with and
  /// skips itself, and the log of the tests says so.
  package static func path(_ name: String) -> String? {
    guard let folder else { return nil }
    let path = folder + "/" + name
    guard FileManager.default.fileExists(atPath: path) else {
      print("NOTE: ../shared/\(name) is missing: the test that needs it is skipped")
      return nil
    }
    return path
  }

  private static let folder: String? = {
    let path = URL(fileURLWithPath: PackageRoot.path).deletingLastPathComponent()
      .appendingPathComponent("shared").path
    if FileManager.default.fileExists(atPath: path) { return path }
    print("NOTE: ../shared is missing: tests that need it are skipped")
    return nil
  }()
}
