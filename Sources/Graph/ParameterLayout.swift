/// Where each parameter and each running statistic of a network lies in its flat block.
///
/// Parameters lie in the order in which the backward pass finishes their gradients: from the last layer to the first,
/// so that a stretch of the block is ready while earlier layers still work. Shapes and names are PyTorch's.
package struct ParameterLayout: Sendable {
  package struct Entry: Sendable {
    package var variable: Variable
    package var range: Range<Int>
    /// Training leaves it as it is.
    package var isFrozen: Bool

    package var name: String { variable.name }
    package var shape: [Int] { variable.shape }
  }

  /// In the order of the network, as PyTorch lists them; each `range` says where it lies.
  package private(set) var parameters: [Entry] = []
  package private(set) var statistics: [Entry] = []
  package private(set) var parameterCount = 0
  package private(set) var statisticCount = 0
  /// What training changes of each block: all of it, but for what `Network.freeze` names.
  package private(set) var trained = Stretches([])
  package private(set) var moving = Stretches([])
  private var places: [String: Range<Int>] = [:]

  package init(_ network: Network) {
    for node in network.nodes.indices {
      let variables = network.variables(of: node)
      let isFixed = network.freeze.fixesStatistics(of: variables)
      for variable in variables {
        add(variable, isFrozen: variable.kind == .parameter ? !network.freeze.trains(variable) : isFixed)
      }
    }
    // So far the ranges count from the first layer; turn the block round.
    for index in parameters.indices {
      let range = parameters[index].range
      parameters[index].range = parameterCount - range.upperBound..<parameterCount - range.lowerBound
    }
    trained = Stretches(parameters.filter { !$0.isFrozen }.map(\.range))
    moving = Stretches(statistics.filter { !$0.isFrozen }.map(\.range))
    for entry in parameters + statistics {
      precondition(places.updateValue(entry.range, forKey: entry.name) == nil, "two variables are called \(entry.name)")
    }
  }

  private mutating func add(_ variable: Variable, isFrozen: Bool) {
    switch variable.kind {
    case .parameter:
      parameters.append(
        Entry(variable: variable, range: parameterCount..<parameterCount + variable.count, isFrozen: isFrozen))
      parameterCount += variable.count
    case .statistic:
      statistics.append(
        Entry(variable: variable, range: statisticCount..<statisticCount + variable.count, isFrozen: isFrozen))
      statisticCount += variable.count
    }
  }

  /// Where a variable lies in its block; the name comes from the network, so a missing one is a bug.
  package func range(of variable: String) -> Range<Int> {
    guard let range = places[variable] else { preconditionFailure("no variable is called \(variable)") }
    return range
  }
  package func start(of variable: String) -> Int { range(of: variable).lowerBound }
}
