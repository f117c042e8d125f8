import Graph
import Kernels

/// What training changes: parameters and running statistics, each one flat block laid out by `layout`. The same bits on
/// every rank between two steps.
package final class ModelState {
  package let network: Network
  package let layout: ParameterLayout
  package let parameters: Tensor
  package let statistics: Tensor

  package init(_ network: Network, seed: Int) {
    self.network = network
    layout = ParameterLayout(network)
    parameters = Tensor(count: layout.parameterCount)
    statistics = Tensor(count: layout.statisticCount)
    layout.initialize(seed: seed, parameters: parameters.pointer, statistics: statistics.pointer)
  }

  /// With the values of another.
  package init(copying other: ModelState) {
    network = other.network
    layout = other.layout
    parameters = Tensor(count: layout.parameterCount)
    statistics = Tensor(count: layout.statisticCount)
    copy(other)
  }

  /// Takes the values of another of the same network.
  package func copy(_ other: ModelState) {
    parameters.pointer.update(from: other.parameters.pointer, count: parameters.count)
    statistics.pointer.update(from: other.statistics.pointer, count: statistics.count)
  }

  /// Bytes of one.
  package static func bytes(_ layout: ParameterLayout) -> Double {
    4 * Double(layout.parameterCount + layout.statisticCount)
  }

  /// Takes running statistics, laid out as its own; those that are frozen stay.
  package func replace(statistics other: Tensor) {
    for range in layout.moving.ranges {
      (statistics.pointer + range.lowerBound).update(from: other.pointer + range.lowerBound, count: range.count)
    }
  }
}
