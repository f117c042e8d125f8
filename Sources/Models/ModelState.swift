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

  /// Bytes of one.
  package static func bytes(_ layout: ParameterLayout) -> Double {
    4 * Double(layout.parameterCount + layout.statisticCount)
  }

  /// Takes running statistics, laid out as its own.
  package func replace(statistics other: Tensor) { statistics.pointer.update(from: other.pointer, count: other.count) }
}
