import Configuration
import Foundation
import Kernels
import Testing

/// Files that are no configuration, and some that were made to do harm: each is refused in well under a second.
@Suite struct ConfigurationFileTests {
  /// The refusal of a file with these bytes, its directory cut off, and the seconds it took.
  private func refusal(of bytes: [UInt8]) throws -> (message: String?, seconds: Double) {
    try inDirectory { directory in
      try Data(bytes).write(to: directory.appending(path: "c.yaml"))
      return refusal(at: directory, "c.yaml")
    }
  }

  private func refusal(at directory: URL, _ name: String) -> (message: String?, seconds: Double) {
    let start = ContinuousClock.now
    var message: String?
    do throws(ConfigurationError) {
      _ = try RunConfiguration.load(path: directory.path(percentEncoded: false) + name)
    } catch {
      message = error.description.replacingOccurrences(of: directory.path(percentEncoded: false), with: "")
    }
    return (message, (ContinuousClock.now - start) / .seconds(1))
  }

  private func inDirectory<Result>(_ body: (URL) throws -> Result) throws -> Result {
    let directory = FileManager.default.temporaryDirectory.appending(path: "icp-\(UUID().uuidString)/")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    return try body(directory)
  }

  // A second, since a busy machine may take some of it; each takes milliseconds.
  private let limit = 1.0

  @Test func `aliases of aliases do not multiply, as values or as keys`() throws {
    var bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
    for level in 1...9 {
      let aliases = Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ", ")
      bomb += "a\(level): &a\(level) [\(aliases)]\n"
    }
    for text in [bomb, bomb + "k: {*a9 : 1, b: 2}\n", bomb + "? *a9\n: 1\n"] {
      let (message, seconds) = try refusal(of: Array(text.utf8))
      #expect(message == "c.yaml:2:50: aliases (*name) are not accepted")
      #expect(seconds < limit)
    }
  }

  @Test func `the few aliases that reach the parser cost nothing and are refused`() throws {
    let leaf = Array(repeating: "x", count: 20_000).joined(separator: ",")
    let text = "a: &a [\(leaf)]\nb: &b [*a,*a,*a]\nc: &c [*b,*b,*b]\n? [*c,*c]\n: 1\n"
    let (message, seconds) = try refusal(of: Array(text.utf8))
    #expect(message == "c.yaml:1:4: anchors (&name) and aliases (*name) are not accepted")
    #expect(seconds < limit)
  }

  @Test func `stars in comments are no aliases`() throws {
    #expect(try refusal(of: Array("# *this* and *that*, A & B, &c\nicp: {steps: 1}\n".utf8)).message == nil)
  }

  @Test(arguments: ["[", "{a: ", "- ", "? ", "[{"])
  func `depth is refused before it can exhaust the stack`(opening: String) throws {
    for count in [17, 900, 1100, 60_000 / opening.utf8.count] {
      let text = "a:\n " + String(repeating: opening, count: count)
      let (message, seconds) = try refusal(of: Array(text.utf8))
      #expect(message?.hasPrefix("c.yaml:") == true)
      #expect(seconds < limit)
    }
  }

  @Test func `200,000 brackets are refused by size, fewer by depth`() throws {
    let many = try refusal(of: Array(repeating: UInt8(ascii: "["), count: 200_000))
    #expect(many.message == "c.yaml: 200000 bytes, more than the 65536 that a configuration may have")
    let fewer = try refusal(of: Array(repeating: UInt8(ascii: "["), count: 60_000))
    #expect(fewer.message == "c.yaml:1:1: nested too deep")
    let closed = String(repeating: "[", count: 900) + String(repeating: "]", count: 900)
    #expect(try refusal(of: Array(closed.utf8)).message == "c.yaml:1:17: nested more than 16 deep")
    #expect(many.seconds + fewer.seconds < limit)
  }

  @Test func `text that is not UTF-8 is refused at its first wrong byte`() throws {
    #expect(try refusal(of: Array("icp:\n  ".utf8) + [0xFF]).message == "c.yaml:2:3: not UTF-8 text")
    #expect(try refusal(of: [0xFF, 0xFE, 0x69, 0x00]).message == "c.yaml:1:1: not UTF-8 text")
    // An overlong slash.
    #expect(try refusal(of: Array("ü: ".utf8) + [0xC0, 0xAF]).message == "c.yaml:1:4: not UTF-8 text")
  }

  @Test func `what is no readable file is named`() throws {
    try inDirectory { directory in
      #expect(
        refusal(at: directory, "none.yaml").message == "none.yaml: cannot be read: No such file or directory")
      #expect(refusal(at: directory, "").message == ": is a directory; expected a YAML file")

      mkfifo(directory.path(percentEncoded: false) + "fifo", 0o600)
      let fifo = refusal(at: directory, "fifo")
      #expect(fifo.message == "fifo: is not a regular file; expected a YAML file")
      #expect(fifo.seconds < limit)

      try Data().write(to: directory.appending(path: "huge"))
      truncate(directory.path(percentEncoded: false) + "huge", 1 << 30)
      let huge = refusal(at: directory, "huge")
      #expect(huge.message == "huge: 1073741824 bytes, more than the 65536 that a configuration may have")
      #expect(huge.seconds < limit)

      try Data().write(to: directory.appending(path: "empty"))
      let empty = try RunConfiguration.load(path: directory.path(percentEncoded: false) + "empty")
      #expect(empty == RunConfiguration())
    }
  }

  @Test func `no text makes the reader trap`() {
    // Deterministic mutations of a valid file; what is thrown has its own tests, this one is about returning at all.
    let seed = Array(RunConfiguration().resolvedYAML.utf8)
    var stream = RandomStream(seed: 1, purpose: .test)
    func next(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &stream) }
    let alphabet = Array("[]{}:,-?&*!|>'\"%@`#\n\t \\0e.9x~ü".utf8)
    var refused = 0
    for _ in 0..<3000 {
      var bytes = seed
      for _ in 0...next(6) { bytes[next(bytes.count)] = alphabet[next(alphabet.count)] }
      let text = String(decoding: bytes, as: UTF8.self)
      if (try? RunConfiguration(yaml: text, name: "c", overrides: ["icp.rule=\(text.suffix(next(40)))"]))
        == nil
      {
        refused += 1
      }
    }
    #expect(refused > 2000)
  }
}
