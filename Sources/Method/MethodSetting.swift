import Configuration
import Datasets
import Execution
import Graph
import Kernels
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
  /// Of the training set.
  package let images: Int

  /// Whether of a part of the batch (`icp.fraction`) the target pass and the distillation see the part alone.
  var targetsPartAlone: Bool {
    configuration.icp.fraction < 1 && configuration.icp.objective == .distillation
      && configuration.distillation.target == .student
  }

  /// Whether the first input gradient is that of the student's pass.
  var reusesStudent: Bool { configuration.icp.rule != .none && configuration.icp.reuseStudent }

  /// Throws: GraphError, LayerWeightsError.
  package init(
    _ configuration: RunConfiguration, network: Network, normalization: Normalization?, images: Int = 0
  ) throws {
    self.configuration = configuration
    self.images = images
    self.network = network
    self.normalization = normalization
    let taps = try network.tappedNodes(configuration.distillation.taps)
    layerWeights = try configuration.distillation.layerWeights.values(count: taps.count)
  }
}

extension MethodSetting {
  /// Throws where the student's pass does not keep what the first gradient takes. `taps`: of the student.
  func checkReuse(taps: [Int]) throws(GraphError) {
    guard reusesStudent else { return }
    let kernels = TrainingKernels(
      network, layout: ParameterLayout(network), taps: taps, backend: configuration.kernels.convolution,
      precision: configuration.trainingElement, scratch: Scratch(), wantsInputGradient: true)
    guard TrainingNetwork.inputGradientMemory(kernels, taps: taps, pieceSize: 1, sizes: []) == nil else { return }
    throw GraphError(
      "icp.reuse_student: this network has a layer before the first that trains, of which the student's pass does not "
        + "keep what the images' gradient needs")
  }
}
