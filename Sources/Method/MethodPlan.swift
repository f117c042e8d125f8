import Configuration
import Datasets
import Graph
import Kernels
import Refinement

/// The method as a configuration asks for it: what it trains, what a step costs and takes, before any memory is taken.
package struct MethodPlan: Sendable {
  package let setting: MethodSetting
  /// The network, with what parts of the method add to it.
  package let network: Network
  let parts: [any MethodPart]
  /// Of the task loss.
  let classWeights: [Double]?

  /// `images`: how many training has. Throws: GraphError, LayerWeightsError.
  package init(
    _ configuration: RunConfiguration, network: Network, normalization: Normalization?, classWeights: [Double]? = nil,
    images: Int = 0
  ) throws {
    self.classWeights = classWeights
    setting = try MethodSetting(configuration, network: network, normalization: normalization, images: images)
    parts = try methodParts.compactMap { [setting] in try $0.init(setting) }
    self.network = parts.reduce(network) { $1.extended($0) }
  }

  /// Nodes whose outputs the student pass keeps, in the order of the parts.
  var taps: [Int] { parts.flatMap(\.taps) }

  /// Whether steps of stage `cyclic` differ from plain ones.
  package var hasCyclicStage: Bool { setting.configuration.icp.rule != .none }

  /// Work of a step in forward passes (METHOD, "Cost"): a student pass, and its backward pass to weights and inputs,
  /// first.
  package func passes(in stage: Stage) -> Double { parts.reduce(Self.plainPasses) { $0 + $1.passes(in: stage) } }
  /// Of a step of plain training.
  package static let plainPasses = 3.0

  /// Numbers that it keeps of the training images, and a checkpoint has.
  package var imageValues: Int { parts.reduce(0) { [network] in $0 + $1.imageValues(network) } }

  /// Bytes that a `TrainingMethod` takes for shards of these sizes.
  package func bytes(sizes: Set<Int>) -> Double {
    let memory = MethodMemory(self, sizes: sizes)
    let student = memory.sharedKernels + memory.network(taps: taps, differentiable: true)
    let result = memory.parameters + MemoryUse(own: 4 * Double(memory.layout.statisticCount))
    return parts.reduce(student + result) { $0 + $1.memory(memory) }.total
  }

  /// Bytes that ranks take to exchange these numbers: what all hand in in a round, as it travels, by rank, and without
  /// what makes their records equally long.
  package func exchangeBytes(ranks: Int) -> Double {
    ranks > 1 ? 3 * min(4 * Double(imageValues), Double(ImageRows.mostInRound)) : 0
  }
}
