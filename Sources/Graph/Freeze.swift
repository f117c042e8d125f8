/// What of a network training leaves as it is (`model.freeze`): these parameters have no gradient and send no message.
package struct Freeze: Hashable, Sendable {
  /// Of the names of parameters (`NamePrefix`).
  package var prefixes: [String]
  /// Whether a batch normalisation without a parameter to train normalises by its running statistics, which stay.
  package var fixesStatistics: Bool

  package init(_ prefixes: [String] = [], fixesStatistics: Bool = false) {
    self.prefixes = prefixes
    self.fixesStatistics = fixesStatistics
  }

  package func trains(_ variable: Variable) -> Bool {
    variable.kind == .parameter && !prefixes.contains { NamePrefix.covers($0, variable.name) }
  }

  /// Whether the running statistics of a layer that owns `variables` stay as they are.
  package func fixesStatistics(of variables: [Variable]) -> Bool {
    let parameters = variables.filter { $0.kind == .parameter }
    return fixesStatistics && !parameters.isEmpty && !parameters.contains(where: trains)
  }
}
