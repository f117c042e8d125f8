import CImages

/// Why bytes are no picture that can be read. Whoever knows the file names it.
package struct ImageError: Error, Equatable, CustomStringConvertible {
  package enum Kind: String, Sendable {
    case empty
    /// Neither JPEG nor PNG.
    case otherKind
    case truncated
    /// Pixels would be wrong or missing.
    case damaged
    /// A JPEG or PNG that the libraries cannot read, such as one of 12 bits a channel.
    case unsupported
    /// More pixels than are allowed.
    case tooLarge
    case noMemory
  }

  package let kind: Kind
  package let reason: String

  package init(_ kind: Kind, _ reason: String) {
    self.kind = kind
    self.reason = reason
  }

  package var description: String { reason }

  init(_ status: Int32, _ facts: ci_facts, _ format: ImageFormat) {
    let message = Self.text(facts)
    let name = format.rawValue.uppercased()
    switch status {
    case Int32(CI_TRUNCATED): self.init(.truncated, "\(name) is cut short (\(message))")
    case Int32(CI_UNSUPPORTED): self.init(.unsupported, "\(name) of a kind that is not read (\(message))")
    case Int32(CI_MEMORY): self.init(.noMemory, "\(name) does not fit into memory")
    default: self.init(.damaged, "\(name) is damaged (\(message))")
    }
  }

  /// The library's words, which may quote bytes of the file: without control characters.
  private static func text(_ facts: ci_facts) -> String {
    withUnsafeBytes(of: facts.message) { bytes in
      String(decoding: bytes.prefix { $0 != 0 }.map { 32...126 ~= $0 ? $0 : 63 }, as: UTF8.self)
    }
  }
}
