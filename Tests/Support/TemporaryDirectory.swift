import Foundation

/// An empty folder of its own for a test, removed with everything in it when the last reference goes.
package final class TemporaryDirectory: Sendable {
  package let path: String

  package init() throws {
    path = FileManager.default.temporaryDirectory.appendingPathComponent("icp-test-" + UUID().uuidString).path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit {
    try? FileManager.default.removeItem(atPath: path)
  }

  /// The path of a name in this folder.
  package func path(_ name: String) -> String { path + "/" + name }

  /// Writes a text file into this folder, creating the folders of its name, and returns its path.
  @discardableResult
  package func write(_ text: String, to name: String, executable: Bool = false) throws -> String {
    let file = path(name)
    try FileManager.default.createDirectory(
      at: URL(fileURLWithPath: file).deletingLastPathComponent(), withIntermediateDirectories: true)
    guard executable else {
      try Data(text.utf8).write(to: URL(fileURLWithPath: file))
      return file
    }
    try ProcessFamily.start.withLock { try Data(text.utf8).write(to: URL(fileURLWithPath: file)) }
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file)
    return file
  }

  /// Writes bytes into this folder and returns the file's path.
  @discardableResult
  package func write(_ bytes: [UInt8], to name: String) throws -> String {
    let file = path(name)
    try Data(bytes).write(to: URL(fileURLWithPath: file))
    return file
  }

  /// Writes `bytes` as the gzip program packs them, and returns the file's path.
  @discardableResult
  package func writeGzip(_ bytes: [UInt8], to name: String) throws -> String {
    let plain = try write(bytes, to: "plain-" + name)
    defer { try? FileManager.default.removeItem(atPath: plain) }
    let packed = try Program.run(
      executable: "sh", ["-c", "gzip -c \"$0\" > \"$1\"", plain, path(name)], timeLimit: 60)
    guard packed.status == 0 else { throw Program.CannotRun(description: "gzip: \(packed.standardError)") }
    return path(name)
  }
}
