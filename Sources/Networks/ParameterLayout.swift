import Kernels

/// Where each parameter and each running statistic of a network lies in its flat block.
///
/// Parameters lie in the order in which the backward pass finishes their gradients: from the last layer to the first, so
/// that a stretch of the block is ready while earlier layers still work. Shapes and names are PyTorch's.
package struct ParameterLayout: Sendable {
  package struct Entry: Sendable {
    package var name: String
    package var shape: [Int]
    package var range: Range<Int>
    /// Convolution filters and dense weights: what `optimizer.decay: matrices` decays.
    package var isMatrix: Bool { shape.count > 1 }
  }

  /// In the order of the network, as PyTorch lists them; each `range` says where it lies.
  package private(set) var parameters: [Entry] = []
  package private(set) var statistics: [Entry] = []
  package private(set) var parameterCount = 0
  package private(set) var statisticCount = 0

  private var parameterStarts: [String: Int] = [:]
  private var statisticStarts: [String: Int] = [:]

  package init(_ architecture: Architecture) {
    for node in architecture.nodes {
      let inputs = node.input >= 0 ? architecture.nodes[node.input].shape : node.shape
      switch node.operation {
      case .convolution(let filter):
        let channels = node.shape.channels
        add("\(filter.name).weight", [channels, inputs.channels, filter.kernel, filter.kernel])
        add("\(filter.batchNorm).weight", [channels])
        add("\(filter.batchNorm).bias", [channels])
        addStatistic("\(filter.batchNorm).running_mean", channels)
        addStatistic("\(filter.batchNorm).running_var", channels)
      case .linear(let name, _):
        add("\(name).weight", [node.shape.channels, inputs.sampleCount])
        add("\(name).bias", [node.shape.channels])
      case .input, .padShortcut, .pool, .flatten:
        break
      }
    }
    // So far the ranges count from the first layer; turn the block round.
    for index in parameters.indices {
      let range = parameters[index].range
      parameters[index].range = parameterCount - range.upperBound..<parameterCount - range.lowerBound
      parameterStarts[parameters[index].name] = parameters[index].range.lowerBound
    }
    for entry in statistics { statisticStarts[entry.name] = entry.range.lowerBound }
  }

  private mutating func add(_ name: String, _ shape: [Int]) {
    let count = shape.reduce(1, *)
    parameters.append(Entry(name: name, shape: shape, range: parameterCount..<parameterCount + count))
    parameterCount += count
  }

  private mutating func addStatistic(_ name: String, _ channels: Int) {
    statistics.append(Entry(name: name, shape: [channels], range: statisticCount..<statisticCount + channels))
    statisticCount += channels
  }

  /// Where a parameter starts; its name comes from the architecture, so a missing one is a bug.
  package func start(of parameter: String) -> Int { parameterStarts[parameter]! }
  package func start(ofStatistic statistic: String) -> Int { statisticStarts[statistic]! }

  /// Behind the last of a layer's parameters in the block; 0 for a layer without any.
  package func end(of node: Architecture.Node) -> Int {
    let first: String? =
      switch node.operation {
      case .convolution(let filter): "\(filter.name).weight"
      case .linear(let name, _): "\(name).weight"
      case .input, .padShortcut, .pool, .flatten: nil
      }
    return parameters.first { $0.name == first }?.range.upperBound ?? 0
  }

  /// The ranges that weight decay touches: all, or filters and dense weights only.
  package func decayRanges(matricesOnly: Bool) -> [Range<Int>] {
    matricesOnly ? parameters.filter(\.isMatrix).map(\.range) : [0..<parameterCount]
  }
}
