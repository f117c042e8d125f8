import Formats
import Foundation
import Yams

/// The values a key accepts: how one is read from a YAML node, how it is written, and how to say what was expected.
///
/// Numbers are taken from the text, never through YAML 1.1's resolver, to which `010` is 8 and `1:30` is 90.
package struct ValueForm<Value>: Sendable {
  /// What is accepted, one alternative an entry.
  let alternatives: [String]
  /// nil where the node is not of this form.
  package let read: @Sendable (Node) -> Value?
  /// YAML text that `read` takes back; nil where the value is not of this form.
  let write: @Sendable (Value) -> String?
  /// Why a refused node was refused, where "expected ..., got ..." would leave the user guessing.
  package var reason: @Sendable (Node) -> String? = { _ in nil }

  /// Completes "expected ...": "a, b or c".
  package var expected: String {
    alternatives.count < 2
      ? alternatives.joined() : alternatives.dropLast().joined(separator: ", ") + " or " + alternatives.last!
  }

  /// The same texts for another type.
  func map<Other>(
    _ wrap: @escaping @Sendable (Value) -> Other, back unwrap: @escaping @Sendable (Other) -> Value?
  ) -> ValueForm<Other> {
    ValueForm<Other>(
      alternatives: alternatives, read: { node in read(node).map(wrap) },
      write: { unwrap($0).flatMap(write) }, reason: reason)
  }

  /// Either form; where both would read a node, this one does.
  func or(_ other: ValueForm) -> ValueForm {
    ValueForm(
      alternatives: alternatives + other.alternatives, read: { read($0) ?? other.read($0) },
      write: { write($0) ?? other.write($0) }, reason: { reason($0) ?? other.reason($0) })
  }

  /// Refuses with `text` what starts with `prefix`.
  func refusing(_ prefix: String, because text: String) -> ValueForm {
    var form = self
    form.reason = { $0.scalar?.string.hasPrefix(prefix) == true ? text : nil }
    return form
  }
}

extension ValueForm where Value: Equatable & Sendable {
  /// One word that stands for one value.
  static func word(_ word: String, _ value: Value) -> ValueForm {
    ValueForm(
      alternatives: [word], read: { $0.text == word ? value : nil }, write: { $0 == value ? word : nil })
  }

  /// `word` for nil, or a value. The value's form is asked first: a file may be called `"none"`.
  static func optional<Some: Sendable>(_ word: String, _ form: ValueForm<Some>) -> ValueForm
  where Value == Some? {
    ValueForm(
      alternatives: [word] + form.alternatives,
      read: { node in form.read(node).map(Optional.some) ?? (node.text == word ? Optional.some(nil) : nil) },
      write: { $0.map(form.write) ?? word },
      reason: { node in form.reason(node) ?? (node.isWordForNothing || node.isWordForDefault ? "write \(word)" : nil) })
  }
}

extension ValueForm where Value: RawRepresentable<String> & CaseIterable & Sendable {
  /// One of the cases by its raw value.
  package static var choice: ValueForm {
    ValueForm(
      alternatives: Value.allCases.map(\.rawValue),
      read: { $0.text.flatMap(Value.init(rawValue:)) }, write: { $0.rawValue },
      reason: { node in
        let words = Value.allCases.map(\.rawValue)
        let meant = words.first { $0.lowercased() == node.plainText.lowercased() }
        return (meant ?? (node.isWordForNothing ? words.first { $0 == "none" } : nil)).map { "write \($0)" }
      })
  }
}

extension ValueForm where Value == Bool {
  static var boolean: ValueForm {
    ValueForm(
      alternatives: ["true", "false"], read: { ["true": true, "false": false][$0.plainText] },
      write: { "\($0)" },
      reason: { node in
        let word = node.plainText.lowercased()
        if ["true", "yes", "on", "1"].contains(word) { return "write true" }
        return ["false", "no", "off", "0"].contains(word) ? "write false" : nil
      })
  }
}

/// Above any count that is meant, and small enough that a product of two stays within an Int.
let largestInteger = 1_000_000_000

extension ValueForm where Value == Int {
  /// Decimal digits only; `1e3` and `2.0` are numbers, not integers.
  package static func integer(from lower: Int, to upper: Int = largestInteger) -> ValueForm {
    let bounded = upper != largestInteger
    return ValueForm(
      alternatives: [bounded ? "an integer from \(lower) to \(upper)" : "an integer >= \(lower)"],
      read: { node in node.integer.flatMap { (lower...upper).contains($0) ? $0 : nil } },
      write: { "\($0)" },
      reason: { node in
        if let number = node.number, !bounded, number > Double(upper) {
          return "the largest accepted is \(upper)"
        }
        guard node.integer == nil, let number = node.number, let whole = Int(exactly: number) else {
          return nil
        }
        return "write \(whole)"
      })
  }
}

extension ValueForm where Value == Double {
  /// A decimal number, with or without exponent; `condition` says in words what `accepts` tests, of the number and of
  /// what float32 rounds it to.
  package static func number(_ condition: String, _ accepts: @escaping @Sendable (Double) -> Bool) -> ValueForm {
    ValueForm(
      alternatives: ["a number \(condition)"],
      read: { node in node.number.flatMap { accepts($0) && accepts(Double(Float($0))) ? $0 : nil } },
      write: { YAMLText.number($0) },
      reason: { node in
        guard let number = node.number else { return node.rangeReason }
        let rounded = Double(Float(number))
        return accepts(number) && !accepts(rounded) ? "float32 rounds it to \(YAMLText.number(rounded))" : nil
      })
  }

  package static var positive: ValueForm { number("> 0") { $0 > 0 } }
  static var notNegative: ValueForm { number(">= 0") { $0 >= 0 } }
  static var fraction: ValueForm { number("from 0 to 1") { (0...1).contains($0) } }
  static var belowOne: ValueForm { number(">= 0 and < 1") { (0..<1).contains($0) } }
}

extension ValueForm where Value == String {
  /// Any text without control characters; a plain `none` is left to `optional`, a quoted one is the text.
  package static func text(_ expected: String) -> ValueForm {
    ValueForm(
      alternatives: [expected],
      read: { node in
        guard let text = node.text, !text.isEmpty, node.plainText != "none" else { return nil }
        return text.unicodeScalars.contains { $0.properties.generalCategory == .control } ? nil : text
      }, write: { YAMLText.quoted($0) })
  }

  /// As a file of a network names it, such as `block1-0.f.a` or `/layer1/Relu_output_0`; the file says which there are.
  static var layer: ValueForm { text("the name of a layer") }

  /// The name of a metric: never a path.
  package static var name: ValueForm {
    ValueForm(
      alternatives: ["a name of letters, digits, '_' and '.'"],
      read: { node in
        guard let text = node.text, (1...200).contains(text.utf8.count) else { return nil }
        return text.utf8.allSatisfy(\.isNameCharacter) ? text : nil
      }, write: { YAMLText.quoted($0) })
  }
}

extension ValueForm {
  /// A list whose entries all have one form; `accepts` tests what a single entry cannot show.
  static func list<Entry: Sendable>(
    _ size: ListSize = .any, of entry: ValueForm<Entry>, _ condition: String = "",
    where accepts: @escaping @Sendable ([Entry]) -> Bool = { _ in true }
  ) -> ValueForm where Value == [Entry] {
    ValueForm(
      alternatives: ["\(size.rawValue), each \(entry.expected)\(condition)"],
      read: { node in
        guard let nodes = node.sequence else { return nil }
        let entries = nodes.compactMap(entry.read)
        return entries.count == nodes.count && size.accepts(entries.count) && accepts(entries) ? entries : nil
      },
      write: { "[" + $0.compactMap(entry.write).joined(separator: ", ") + "]" },
      reason: { node in
        if let nodes = node.sequence { return nodes.lazy.compactMap(entry.reason).first }
        guard node.scalar != nil else { return nil }
        let list = listMeant(by: node)
        let entries = list.compactMap { entry.read($0) }
        guard entries.count == list.count, size.accepts(entries.count), accepts(entries) else { return nil }
        return "write [\(list.map(\.shown).joined(separator: ", "))]"
      })
  }

  /// The entries of a scalar where a list is wanted: none of `none`, and what stands between commas.
  private static func listMeant(by node: Node) -> [Node] {
    guard let scalar = node.scalar, scalar.style == .plain || scalar.style == .any else { return [node] }
    guard !node.isWordForNothing else { return [] }
    return scalar.string.split(separator: ",").map { Node(String($0).trimmingCharacters(in: .whitespaces)) }
  }

  /// Names, each with a value of one form; written in the order of the names.
  static func mapping<Entry: Sendable>(_ names: String, to entry: ValueForm<Entry>) -> ValueForm
  where Value == [String: Entry] {
    ValueForm(
      alternatives: ["a mapping of \(names), each to \(entry.expected)"],
      read: { node in
        guard let mapping = node.mapping else { return nil }
        var values: [String: Entry] = [:]
        for (key, value) in mapping {
          guard let name = ValueForm<String>.text(names).read(key), let value = entry.read(value) else { return nil }
          values[name] = value
        }
        return values
      },
      write: { values in
        let texts = values.sorted { $0.key < $1.key }.compactMap { key, value in
          entry.write(value).map { "\(YAMLText.quoted(key)): \($0)" }
        }
        return "{" + texts.joined(separator: ", ") + "}"
      },
      reason: { node in node.mapping.flatMap { $0.lazy.compactMap { entry.reason($0.value) }.first } })
  }

  package static func distinct<Entry: Sendable & Hashable>(_ size: ListSize = .any, of entry: ValueForm<Entry>)
    -> ValueForm
  where Value == [Entry] {
    list(size, of: entry, ", none twice") { Set($0).count == $0.count }
  }
}
