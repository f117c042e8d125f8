/// Numbers by name, none twice, in their order: what a step, an epoch or a measurement came to, from whoever measures
/// it to the line of a record.
package struct NamedValues: Sendable {
  package private(set) var all: [(name: String, value: RecordValue)]

  package init(_ values: [(name: String, value: RecordValue)] = []) {
    all = values
    precondition(Set(values.map(\.name)).count == values.count, "a value has two sources: \(values.map(\.name))")
  }

  package subscript(name: String) -> RecordValue? { all.first { $0.name == name }?.value }

  /// Nil where there is none of that name, or no single number.
  package func number(_ name: String) -> Double? {
    if case .number(let number)? = self[name] { number } else { nil }
  }

  /// The single finite numbers.
  package var numbers: [String: Double] {
    all.reduce(into: [:]) { numbers, entry in
      switch entry.value {
      case .number(let number?) where number.isFinite: numbers[entry.name] = number
      case .integer(let integer): numbers[entry.name] = Double(integer)
      default: break
      }
    }
  }

  /// First those of `names`, no number where there is none; then the others in the order of their names.
  package func ordered(_ names: [String]) -> NamedValues {
    NamedValues(names.map { ($0, self[$0] ?? .number(nil)) })
      + NamedValues(all.filter { !names.contains($0.name) }.sorted { $0.name < $1.name })
  }

  /// With `suffix` after every name.
  package func suffixed(_ suffix: String) -> NamedValues { NamedValues(all.map { ($0.name + suffix, $0.value) }) }

  package static func + (one: NamedValues, other: NamedValues) -> NamedValues { NamedValues(one.all + other.all) }
  package static func += (one: inout NamedValues, other: NamedValues) { one = one + other }

  /// One JSON object.
  package var json: String { "{\(jsonMembers)}" }

  /// The same without its braces. Names are ours and need no escapes.
  package var jsonMembers: String { all.map { "\"\($0.name)\":\($0.value.json)" }.joined(separator: ",") }
}

extension NamedValues: ExpressibleByDictionaryLiteral {
  package init(dictionaryLiteral elements: (String, RecordValue)...) { self.init(elements.map { ($0.0, $0.1) }) }
}
