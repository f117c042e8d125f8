import Graph
import Operators

/// Convolution, then the sum with a shortcut, then a ReLU: the kernel does all before it stores.
struct ConvolutionEnd: FusionRule {
  func apply(to draft: inout Draft) {
    for index in draft.nodes.indices {
      guard let first = draft.nodes[index], var convolution = first.operator as? Convolution, !convolution.relu,
        !convolution.hasAddend
      else { continue }
      var last = index
      var inputs = first.inputs
      var removed: [Int] = []
      if let sum = draft.onlyReader(of: last), let other = draft.addend(beside: last, in: sum) {
        convolution.hasAddend = true
        inputs.append(other)
        removed.append(last)
        last = sum
      }
      if let relu = draft.onlyReader(of: last), draft.nodes[relu]!.operator is ReLU {
        convolution.relu = true
        removed.append(last)
        last = relu
      }
      guard last != index else { continue }
      draft.replace(last, by: convolution, reading: inputs, removing: removed)
    }
  }
}
