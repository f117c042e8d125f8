import Configuration
import Graph

/// What a configuration says of parameters by the beginning of their names.
extension Network {
  /// With what `model.freeze` names.
  func freezing(_ options: RunConfiguration.ModelSection) -> Network {
    var network = self
    network.freeze = Freeze(options.freeze, fixesStatistics: options.freezeStatistics)
    return network
  }

  /// Throws where a prefix of `model.freeze` or `optimizer.multipliers` names no parameter, or where none is left to
  /// train.
  func checkPrefixes(_ configuration: RunConfiguration) throws(GraphError) {
    let layout = ParameterLayout(self)
    let names = layout.parameters.map(\.name)
    try Self.check(configuration.model.freeze, of: "model.freeze", among: names)
    try Self.check(configuration.optimizer.multipliers.keys.sorted(), of: "optimizer.multipliers", among: names)
    guard layout.trained.count > 0 else {
      throw GraphError("model.freeze: every parameter of this network is frozen, so nothing is left to train")
    }
  }

  private static func check(_ prefixes: [String], of key: String, among names: [String]) throws(GraphError) {
    for prefix in prefixes where !names.contains(where: { NamePrefix.covers(prefix, $0) }) {
      let all = NamePrefix.all(of: names)
      var hint = ConfigurationTable.hint(for: prefix, among: all)
      if !hint.hasPrefix("; did you mean") {
        let shortest = all.filter { name in !all.contains { $0 != name && NamePrefix.covers($0, name) } }
        hint =
          "; this model's begin with \(shortest.prefix(40).joined(separator: ", "))"
          + (shortest.count > 40 ? ", ..." : "")
      }
      throw GraphError("\(key): no parameter's name begins with '\(prefix)'\(hint)")
    }
  }
}
