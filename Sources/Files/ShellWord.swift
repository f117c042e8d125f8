/// Text as one word of a shell's command, for commands that are printed to be typed.
package enum ShellWord {
  /// `a/b-1.yaml` as it is, `my run` as `'my run'`; control characters as bash's `$'...'` has them.
  package static func quoted(_ text: String) -> String {
    if !text.isEmpty, text.utf8.allSatisfy(isPlain) { return text }
    guard text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else {
      return "'\(text.replacing("'", with: "'\\''"))'"
    }
    let escaped = text.unicodeScalars.map { scalar in
      switch scalar {
      case "\\": "\\\\"
      case "'": "\\'"
      case _ where scalar.properties.generalCategory == .control:
        "\\u" + String(scalar.value + 0x10000, radix: 16).suffix(4)
      default: String(scalar)
      }
    }
    return "$'\(escaped.joined())'"
  }

  /// A path as an argument: never taken for an option.
  package static func path(_ text: String) -> String { quoted(text.hasPrefix("-") ? "./\(text)" : text) }

  private static func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: "-_./=:,@%+".utf8.contains(byte)
    }
  }
}
