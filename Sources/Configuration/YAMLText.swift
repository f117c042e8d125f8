import Formats
import Runtime
import Yams

/// YAML as we write it: read back to the same value by us and, as far as it goes, by readers of YAML 1.1.
package enum YAMLText {
  /// The shortest decimal that is the same double again. YAML 1.1 takes `1e-08` for a string, `1.0e-08` for a number.
  package static func number(_ value: Double) -> String {
    let text = "\(value)"
    if text.hasSuffix(".0") { return String(text.dropLast(2)) }
    guard let exponent = text.firstIndex(of: "e"), !text.contains(".") else { return text }
    return text[..<exponent] + ".0" + text[exponent...]
  }

  /// Text for a message: on one line and not long. Cut by scalars, since one character may have any number of marks.
  package static func shown(_ text: String, limit: Int) -> String {
    let cut = text.unicodeScalars.prefix(limit)
    let visible = cut.map { $0.properties.generalCategory == .control ? "?" : $0 }
    return String(String.UnicodeScalarView(visible)) + (cut.endIndex < text.unicodeScalars.endIndex ? "..." : "")
  }

  /// Whether a reader of YAML drops a part of `text`: from a '#' at its start, or after a blank, outside quotes. A
  /// quote opens where a value starts; elsewhere, as in `it's`, it is a character.
  static func holdsComment(_ text: String) -> Bool {
    var (quote, last): (Unicode.Scalar?, Unicode.Scalar) = (nil, " ")
    var (isEscaped, hasClosed) = (false, false)
    for scalar in text.unicodeScalars {
      defer { last = scalar }
      if let open = quote {
        if isEscaped {
          isEscaped = false
        } else if scalar == open {
          quote = nil
          hasClosed = open == "'"
        } else if scalar == "\\", open == "\"" {
          isEscaped = true
        }
        continue
      }
      // Within single quotes two of them are one.
      if hasClosed, scalar == "'", last == "'" {
        quote = scalar
        hasClosed = false
        continue
      }
      hasClosed = false
      let startsWord = " \t\r\n".unicodeScalars.contains(last)
      if scalar == "#", startsWord { return true }
      if scalar == "\"" || scalar == "'", startsWord || "[{,:".unicodeScalars.contains(last) { quote = scalar }
    }
    return false
  }

  /// Double-quoted, so that no text is taken for a number, a word or the start of a comment.
  static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": result += "\\\(scalar)"
      // What YAML does not take as it is, or folds as a line break.
      case "\u{0}"..<" ", "\u{7f}"..<"\u{a0}", "\u{2028}", "\u{2029}", "\u{feff}", "\u{fffe}", "\u{ffff}":
        let digits = String(scalar.value, radix: 16)
        result += "\\U" + String(repeating: "0", count: 8 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}

extension Node {
  /// The text of a scalar, quoted or not.
  package var text: String? { scalar?.string }

  /// The text of a scalar without quotes; "" where it is none, which no form accepts.
  var plainText: String {
    guard let scalar, scalar.style == .plain || scalar.style == .any else { return "" }
    return scalar.string
  }

  /// What people write for "none of it".
  var isWordForNothing: Bool {
    ["none", "null", "~", "nil", "false", "off", "no"].contains(plainText.lowercased())
  }

  /// And for "as it comes".
  var isWordForDefault: Bool { ["all", "auto", "default"].contains(plainText.lowercased()) }

  /// `-?[0-9]+` without leading zeros, in the range of an Int.
  package var integer: Int? {
    let digits = plainText.utf8.drop { $0 == UInt8(ascii: "-") }
    guard digits.allSatisfy(\.isDigit), !plainText.hasLeadingZero else { return nil }
    return Int(plainText)
  }

  /// A decimal number without leading zeros: `5`, `-0.5`, `.5`, `1e-3`. None that float32 does not keep: every number
  /// is one that networks may have to compute with.
  package var number: Double? {
    guard let value = decimal, value.isKeptByFloat32, !(value == 0 && isNotZero) else { return nil }
    return value
  }

  /// Why a number that is one to people is none here; nil for anything else.
  var rangeReason: String? {
    guard let value = decimal, isNotZero, number == nil else { return nil }
    return "so \(abs(value) < 1 ? "small that float32 would make it 0" : "large that float32 would make it infinite")"
  }

  /// As a double has it: 0 or infinite beyond its range.
  private var decimal: Double? {
    let characters = "0123456789+-.eE".utf8
    guard plainText.utf8.allSatisfy(characters.contains), !plainText.hasLeadingZero else { return nil }
    return Double(plainText)
  }

  /// Whether a digit other than 0 stands before the exponent.
  private var isNotZero: Bool {
    plainText.prefix { $0 != "e" && $0 != "E" }.contains { ("1"..."9").contains($0) }
  }

  /// What the user wrote, for "got ...": on one line and not long.
  package var shown: String {
    let whole: String
    switch self {
    case .scalar(let scalar) where scalar.style == .plain || scalar.style == .any:
      whole = scalar.string.isEmpty ? "nothing" : scalar.string
    case .scalar(let scalar): whole = YAMLText.quoted(scalar.string)
    case .sequence(let nodes): whole = "[" + nodes.prefix(20).map(\.shown).joined(separator: ", ") + "]"
    case .mapping: whole = "a mapping"
    case .alias: whole = "an alias"
    }
    return YAMLText.shown(whole, limit: 60)
  }
}

extension String {
  /// `010`, `-08.5`: octal to some readers of YAML and decimal to others.
  fileprivate var hasLeadingZero: Bool {
    let digits = utf8.drop { $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "+") }
    return digits.first == UInt8(ascii: "0") && digits.dropFirst().first?.isDigit == true
  }
}
