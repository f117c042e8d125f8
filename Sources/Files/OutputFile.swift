import Glibc

/// A file that the user named for a result.
///
/// Links are written through: the file that they lead to is replaced, and the links stay. A pipe, or a device such as
/// `/dev/null` or a terminal, is written to. Nothing else that is not a regular file is touched, nor is anything that
/// the command reads, or a file of another kind than the command writes.
package struct OutputFile: Sendable {
  package enum Kind: String, Sendable {
    case safetensors = "a safetensors file"
    case png = "a PNG picture"
    case onnx = "an ONNX file"
    case html = "an HTML page"
    case svg = "an SVG picture"

    /// Whether a file that begins so is of this kind; an empty one may become any.
    fileprivate func begins(_ bytes: [UInt8]) -> Bool {
      switch self {
      case _ where bytes.isEmpty: true
      // The length of a header, which is at most 100 MB, and its first character.
      case .safetensors: bytes.count > 8 && bytes[4..<8].allSatisfy { $0 == 0 } && bytes[8] == UInt8(ascii: "{")
      // Its first field is the version of the format.
      case .onnx: bytes.count > 2 && bytes[0] == 8 && bytes[1] < 32
      case .png: bytes.starts(with: [0x89] + Array("PNG".utf8))
      case .svg: bytes.starts(with: "<svg".utf8)
      case .html: bytes.starts(with: "<!DOCTYPE html>".utf8)
      }
    }
  }

  /// As the user wrote it.
  package let path: String
  private let option: String
  /// Where the bytes go: `path`, or where its links lead.
  private let target: String
  /// Takes bytes one after the other, and has none that could be replaced.
  private let isStream: Bool

  /// Looks before any work is done.
  /// - Parameters:
  ///   - kind: what will be written.
  ///   - option: the one that names the file, for messages.
  ///   - inputs: what the command reads, as the user knows it ("--weights") and its path; of a folder, all in it.
  ///   - isNamed: whether the user gave this name. Where it is ours, a link in its place leads to what nobody meant,
  ///     and a file without our mark is not replaced.
  ///   - mark: what every file that the command writes has in its first kilobyte.
  package init(
    _ path: String, of kind: Kind, option: String, keeping inputs: [(name: String, path: String)],
    isNamed: Bool = true, mark: String? = nil
  ) throws(SaveError) {
    self.path = path
    self.option = option
    try ShellPath.check(path, option: option)
    func refusal(_ reason: String) -> SaveError {
      SaveError(path: path, reason: reason, advice: "name another file with \(option)", exitCode: 64)
    }
    if !isNamed, let found = FileKind(path), found != .regular {
      throw refusal("is \(found.name), where the command has a regular file of its own")
    }
    for input in inputs where FileIdentity.same(path, input.path) {
      throw refusal("is \(input.name), which would be lost")
    }
    isStream = Self.takesBytes(path)
    // What /dev/stdout leads to may have no name.
    target = isStream ? path : try Self.destination(of: path, option: option)
    guard !isStream else { return }
    for input in inputs where FileIdentity.same(input.path, above: target) {
      throw refusal("lies in \(input.name), whose files are read")
    }
    guard let found = FileKind(target) else { return }
    guard found == .regular else {
      let leads = target == path ? "is" : "leads to \(target),"
      throw SaveError(
        path: path, reason: "\(leads) \(found.name), which is not replaced",
        advice: "name a regular file, or a free name, with \(option)", exitCode: 64)
    }
    guard let head = try? RegularFile.prefix(target, count: 1024), kind.begins(head) else {
      throw refusal("is not \(kind.rawValue), and is not replaced")
    }
    if !isNamed, let mark, !head.isEmpty, !String(decoding: head, as: UTF8.self).contains(mark) {
      throw refusal("is \(kind.rawValue) of somebody else's, and is not replaced")
    }
  }

  /// Whole or not at all, with the permissions of a file that was there.
  package func write(_ bytes: [UInt8], system: System = System()) throws(SaveError) {
    do throws(SystemError) {
      if isStream { return try stream(bytes, system) }
      try AtomicFile(system: system).replace(target, with: bytes, keepingMode: true)
    } catch { throw SaveError(error, option: option) }
  }

  /// A pipe waits for its reader; one that goes away is an error, not the end of the process.
  private func stream(_ bytes: [UInt8], _ system: System) throws(SystemError) {
    signal(SIGPIPE, SIG_IGN)
    let descriptor = try system.open(path, O_WRONLY | O_NOCTTY)
    do throws(SystemError) {
      try system.write(bytes, to: descriptor, path: path)
    } catch {
      close(descriptor)
      throw error
    }
    try system.call("close", path) { close(descriptor) }
  }

  /// Of what links lead to. A device of blocks is a disk: nobody means that.
  private static func takesBytes(_ path: String) -> Bool {
    var status = stat()
    guard stat(path, &status) == 0 else { return false }
    return [S_IFIFO, S_IFCHR].contains(status.st_mode & S_IFMT)
  }

  /// What links lead to in the end, which need not be there.
  private static func destination(of path: String, option: String) throws(SaveError) -> String {
    var target = path
    // The kernel's own limit.
    for _ in 0...40 {
      guard FileKind(target) == .link else { return target }
      guard let next = read(link: target) else { break }
      target = next.hasPrefix("/") ? next : "\(System.parentDirectory(target))/\(next)"
    }
    throw SaveError(SystemError(call: "readlink", path: path, code: ELOOP), option: option)
  }

  private static func read(link: String) -> String? {
    var text = [UInt8](repeating: 0, count: Int(PATH_MAX))
    let count = text.withUnsafeMutableBytes {
      readlink(link, $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count)
    }
    return count > 0 ? String(decoding: text.prefix(count), as: UTF8.self) : nil
  }
}
