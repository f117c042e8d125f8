import CKernels
import Graph
import Kernels

/// y = (x - mean) / sqrt(variance + eps) weight + bias: mean and variance of a sample's positions and the channels (the
/// first axis) of a group, weight and bias by channel.
package struct GroupNormalization: Operator {
  /// The variables' names, each (channels).
  package var weight, bias: String
  package var groups: Int
  package var epsilon: Float

  package init(weight: String, bias: String, groups: Int, epsilon: Float = 1e-5) {
    self.weight = weight
    self.bias = bias
    self.groups = groups
    self.epsilon = epsilon
  }

  package var kind: String { "GroupNormalization" }
  package func shape(of inputs: [SampleShape]) throws(GraphError) -> SampleShape {
    guard inputs[0].rank > 0, groups > 0, inputs[0][0] % groups == 0 else {
      throw GraphError("\(groups) groups of the channels of \(inputs[0])")
    }
    return inputs[0]
  }
  package func variables(of inputs: [SampleShape]) -> [Variable] {
    let channels = [inputs[0][0]]
    return [Variable(weight, channels, start: .constant(1)), Variable(bias, channels, start: .constant(0))]
  }
  package func layout(of inputs: [Value], output: SampleShape) -> LayoutChoice {
    .channelsLast(of: inputs, output: output)
  }
  package var backwardReads: Operands { .input }
  package var parameterReads: Operands { .input }
  package var isCheap: Bool { true }
  package func export(_ x: [ExportGraph.Value], to graph: inout ExportGraph) -> String {
    graph.add(kind, [x[0].name, weight, bias], ["num_groups": .integer(groups), "epsilon": .float(epsilon)])
  }
  package func kernel(_ context: KernelContext) -> any Kernel { GroupNormalizationKernel(self, context) }
}

final class GroupNormalizationKernel: Kernel {
  private let channels, positions, groups: Int
  private let epsilon: Float
  private let weight, bias: Int
  private let work, sums: Tensor

  init(_ normalization: GroupNormalization, _ context: KernelContext) {
    channels = context.output.shape[0]
    positions = context.output.count / channels
    groups = normalization.groups
    epsilon = normalization.epsilon
    weight = context.variables[0]
    bias = context.variables[1]
    work = Tensor(count: 6 * channels)
    sums = Tensor(count: 2 * channels)
  }

  func forward(_ arguments: borrowing Arguments) {
    ck_group_norm(
      arguments.input(), arguments.samples, positions, Int32(channels), Int32(groups), epsilon,
      arguments.parameters + weight, arguments.parameters + bias, arguments.output, work.pointer)
  }

  /// With n = (x - mean) / deviation, forward was y = n weight + bias.
  func backward(_ arguments: borrowing Arguments) {
    sums.pointer.update(repeating: 0, count: 2 * channels)
    let isWanted = arguments.gradients != nil
    ck_group_norm_backward(
      arguments.gradient, arguments.input(), arguments.samples, positions, Int32(channels), Int32(groups), epsilon,
      arguments.parameters + weight, arguments.inputGradient(), isWanted ? sums.pointer : nil,
      isWanted ? sums.pointer + channels : nil, work.pointer)
    guard let gradients = arguments.gradients else { return }
    for channel in 0..<channels {
      let before =
        arguments.isFirst
        ? (weight: 0, bias: 0) : (weight: gradients[weight + channel], bias: gradients[bias + channel])
      gradients[weight + channel] = before.weight + sums.pointer[channel]
      gradients[bias + channel] = before.bias + sums.pointer[channels + channel]
    }
  }
}
