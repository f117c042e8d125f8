import Glibc

/// A file that the user named for a result.
///
/// Links are written through: the file that they lead to is replaced, and the links stay. What is not a regular file is
/// never replaced, nor is anything that the command reads.
package struct OutputFile: Sendable {
  /// As the user wrote it.
  package let path: String
  private let option: String
  /// Where the bytes go: `path`, or where its links lead.
  private let target: String

  /// Looks before any work is done.
  /// - Parameters:
  ///   - option: the one that names the file, for messages.
  ///   - inputs: what the command reads, as the user knows it ("--weights") and its path.
  package init(_ path: String, option: String, keeping inputs: [(name: String, path: String)]) throws(SaveError) {
    self.path = path
    self.option = option
    for input in inputs where FileIdentity.same(path, input.path) {
      throw SaveError(
        path: path, reason: "is \(input.name), which would be lost", advice: "name another file with \(option)",
        exitCode: 64)
    }
    var target = path
    var links = 0
    while true {
      switch FileKind(target) {
      case nil, .regular?:
        self.target = target
        return
      case .link?:
        links += 1
        // The kernel's own limit.
        guard links <= 40, let next = Self.destination(of: target) else {
          throw SaveError(SystemError(call: "readlink", path: path, code: ELOOP), option: option)
        }
        target = next.hasPrefix("/") ? next : "\(System.parentDirectory(target))/\(next)"
      case let kind?:
        let leads = target == path ? "is" : "leads to \(target),"
        throw SaveError(
          path: path, reason: "\(leads) \(kind.name), which is not replaced",
          advice: "name a regular file, or a free name, with \(option)", exitCode: 64)
      }
    }
  }

  /// Whole or not at all, with the permissions of a file that was there.
  package func write(_ bytes: [UInt8], system: System = System()) throws(SaveError) {
    do throws(SystemError) {
      try AtomicFile(system: system).replace(target, with: bytes, keepingMode: true)
    } catch { throw SaveError(error, option: option) }
  }

  private static func destination(of link: String) -> String? {
    var text = [UInt8](repeating: 0, count: Int(PATH_MAX))
    let count = text.withUnsafeMutableBytes {
      readlink(link, $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count)
    }
    return count > 0 ? String(decoding: text.prefix(count), as: UTF8.self) : nil
  }
}
