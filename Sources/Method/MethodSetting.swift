import Configuration
import Datasets
import Graph
import Refinement

/// What the parts of the method are chosen by.
package struct MethodSetting: Sendable {
  package let configuration: RunConfiguration
  /// As data and `model` make it.
  package let network: Network
  /// What `icp.clamp: pixels` is measured in; without it there is no clamp.
  package let normalization: Normalization?
  /// w_i of the taps of `distillation.taps`.
  package let layerWeights: [Double]

  /// Throws: GraphError, LayerWeightsError.
  package init(_ configuration: RunConfiguration, network: Network, normalization: Normalization?) throws {
    self.configuration = configuration
    self.network = network
    self.normalization = normalization
    let taps = try network.tappedNodes(configuration.distillation.taps)
    layerWeights = try configuration.distillation.layerWeights.values(count: taps.count)
  }
}
