import Foundation

/// The one writer of JSON for values that Swift can encode: keys sorted, slashes as they are.
///
/// JSON has no infinity: a number that is not finite must be nil by then.
package enum JSONText {
  /// One line, or with `pretty` one member a line and a last line's end.
  /// - Parameter snakeCase: `testAccuracy` is written as `test_accuracy`.
  package static func of(_ value: some Encodable, pretty: Bool = false, snakeCase: Bool = false) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    if pretty { encoder.outputFormatting.insert(.prettyPrinted) }
    if snakeCase { encoder.keyEncodingStrategy = .convertToSnakeCase }
    do {
      return String(decoding: try encoder.encode(value), as: UTF8.self) + (pretty ? "\n" : "")
    } catch {
      preconditionFailure("not for JSON: \(error)")
    }
  }
}
