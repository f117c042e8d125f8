import Graph
import Operators

/// LayerNorm over the last axis that a file holds in pieces: x - mean, over the square root of the mean of its square
/// plus epsilon, then a scale and a shift that are parameters.
struct LayerNormalizationPieces: FusionRule {
  func apply(to draft: inout Draft) {
    for index in draft.nodes.indices {
      guard let division = draft.nodes[index], let divide = division.operator as? Divide, divide.own == nil,
        let match = match(division.inputs[0], division.inputs[1], at: index, in: draft)
      else { continue }
      var normalization = LayerNormalization(weight: nil, bias: nil, epsilon: match.epsilon)
      var last = index
      var removed = match.removed
      let size = draft.shapes[index].extents.last!
      if let scaled = draft.onlyReader(of: last),
        let name = parameter((draft.nodes[scaled]!.operator as? Multiply)?.own, size: size)
      {
        normalization.weight = name
        removed.append(last)
        last = scaled
        if let shifted = draft.onlyReader(of: last),
          let name = parameter((draft.nodes[shifted]!.operator as? Add)?.own, size: size)
        {
          normalization.bias = name
          removed.append(last)
          last = shifted
        }
      }
      draft.replace(last, by: normalization, reading: [match.x], removing: removed)
    }
  }

  private struct Match {
    var x: Int
    var epsilon: Float
    var removed: [Int]
  }

  private func match(_ distance: Int, _ deviation: Int, at division: Int, in draft: Draft) -> Match? {
    // The distance is read by the square and by the division.
    guard let subtract = draft.nodes[distance], (subtract.operator as? Subtract)?.own == nil,
      subtract.operator is Subtract,
      !draft.kept.contains(distance), draft.readers(of: distance).count == 2
    else { return nil }
    let x = subtract.inputs[0]
    let mean = subtract.inputs[1]
    guard isMean(mean, of: x, onlyFor: distance, in: draft) else { return nil }
    guard draft.nodes[deviation]?.operator is SquareRoot, draft.onlyReader(of: deviation) == division else {
      return nil
    }
    let sum = draft.nodes[deviation]!.inputs[0]
    guard let shift = draft.nodes[sum]?.operator as? Affine, shift.scale == 1, shift.shift > 0,
      draft.onlyReader(of: sum) == deviation
    else { return nil }
    let variance = draft.nodes[sum]!.inputs[0]
    guard let square = draft.nodes[variance]?.inputs.first, isMean(variance, of: square, onlyFor: sum, in: draft),
      (draft.nodes[square]?.operator as? Power)?.exponent == 2, draft.nodes[square]!.inputs == [distance],
      draft.onlyReader(of: square) == variance
    else { return nil }
    return Match(x: x, epsilon: shift.shift, removed: [mean, distance, square, variance, sum, deviation])
  }

  private func isMean(_ node: Int, of x: Int, onlyFor reader: Int, in draft: Draft) -> Bool {
    guard let reduction = draft.nodes[node]?.operator as? Reduction, draft.nodes[node]!.inputs == [x] else {
      return false
    }
    return reduction.isMean && reduction.keepsAxes && reduction.axes == [draft.shapes[x].rank - 1]
      && draft.onlyReader(of: node) == reader
  }

  /// The name of a parameter of the last axis.
  private func parameter(_ own: OwnOperand?, size: Int) -> String? {
    guard let own, case .parameter(let variable) = own.content, variable.shape == [size] else { return nil }
    return variable.name
  }
}
