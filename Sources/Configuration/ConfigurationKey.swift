import Yams

/// One key of the configuration: its name, its property, what it accepts and what it means.
///
/// Everything that deals with keys (reading, `--set`, RUN/config.yaml, the comparison on resume, the nearest name, the
/// tables of docs/CONFIGURATION.md) goes through the list of these in ConfigurationTable.
package struct ConfigurationKey: Sendable {
  /// What a key has a say in, and so where two configurations must agree.
  package enum Role: Sendable {
    /// It sets the weights: a resumed run must have the same.
    case weights
    /// It sets when a run stops, saves and reports, or what it reports on.
    case reporting
    /// It says where something lies, which may differ from machine to machine.
    case place
  }

  /// `section.name`, or `section.group.name` where keys of a section belong together.
  package let path: String
  package let role: Role
  /// "" for a count of nothing in particular or a word.
  package let unit: String
  package let meaning: String
  /// Completes "expected ...".
  package let expected: String
  /// The default as YAML; "a (x), b (y)" where it depends on another key.
  package let defaultText: String

  /// Stores the node's value; false where the key does not accept it.
  package let read: @Sendable (Node, inout RunConfiguration) -> Bool
  /// Why the key refused the node, where "expected ..., got ..." does not say it.
  let reason: @Sendable (Node) -> String?
  /// The value as YAML.
  package let write: @Sendable (RunConfiguration) -> String
  /// Stores the default that follows from the other keys, where there is one.
  let setDependentDefault: @Sendable (inout RunConfiguration) -> Void

  /// A default that holds under a condition on other keys.
  struct Default<Value: Sendable>: Sendable {
    let value: Value
    let condition: String
    let holds: @Sendable (RunConfiguration) -> Bool

    init(_ value: Value, _ condition: String, when holds: @escaping @Sendable (RunConfiguration) -> Bool) {
      self.value = value
      self.condition = condition
      self.holds = holds
    }
  }

  /// `defaults`: the first that holds; without any, the property's own initial value is the default.
  init<Value: Sendable>(
    _ path: String, _ property: WritableKeyPath<RunConfiguration, Value> & Sendable, _ form: ValueForm<Value>,
    unit: String = "", role: Role = .weights, defaults: [Default<Value>] = [], _ meaning: String
  ) {
    let write = { @Sendable (value: Value) -> String in
      guard let text = form.write(value) else { preconditionFailure("\(path) cannot be written: \(value)") }
      return text
    }
    self.path = path
    self.role = role
    self.unit = unit
    self.meaning = meaning
    expected = form.expected
    defaultText =
      defaults.isEmpty
      ? write(RunConfiguration()[keyPath: property])
      : defaults.map { "\(write($0.value)) (\($0.condition))" }.joined(separator: ", ")
    read = { node, configuration in
      guard let value = form.read(node) else { return false }
      configuration[keyPath: property] = value
      return true
    }
    reason = form.reason
    self.write = { write($0[keyPath: property]) }
    setDependentDefault = { configuration in
      guard let value = defaults.first(where: { $0.holds(configuration) })?.value else { return }
      configuration[keyPath: property] = value
    }
  }

  package var section: Substring { path.prefix { $0 != "." } }
  /// What it stands in: `section`, or `section.group`.
  package var group: Substring { path[..<path.lastIndex(of: ".")!] }
  package var name: Substring { path[path.lastIndex(of: ".")!...].dropFirst() }
}
