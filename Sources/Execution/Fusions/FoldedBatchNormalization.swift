import Graph
import Operators

/// Evaluation mode: batch normalisation is a scale and a shift by channel, which go into the convolution before it
/// where that has no other reader, or stand alone.
struct FoldedBatchNormalization: FusionRule {
  func apply(to draft: inout Draft) {
    for index in draft.nodes.indices {
      guard let node = draft.nodes[index], let normalization = node.operator as? BatchNormalization else { continue }
      var folding = Folding(
        weight: normalization.weight, bias: normalization.bias, mean: normalization.mean,
        variance: normalization.variance, epsilon: normalization.epsilon)
      let input = node.inputs[0]
      if let before = draft.nodes[input], var convolution = before.operator as? Convolution,
        draft.onlyReader(of: input) == index
      {
        folding.filters = Folding.Filters(weight: convolution.weight, bias: convolution.bias)
        convolution.bias = normalization.bias
        draft.replace(index, by: convolution, reading: before.inputs, removing: [input])
      } else {
        let affine = ChannelAffine(weight: normalization.weight, bias: normalization.bias)
        draft.replace(index, by: affine, reading: node.inputs, removing: [])
      }
      draft.foldings.append(folding)
    }
  }
}
