import Graph
import Operators

/// Activations that a file holds in pieces: SiLU as x sigmoid(x), HardSwish as x hardSigmoid(x), GELU with the error
/// function. One pass over memory each, and nothing kept between the pieces.
struct ActivationPieces: FusionRule {
  func apply(to draft: inout Draft) {
    for index in draft.nodes.indices {
      guard let product = draft.nodes[index], let multiply = product.operator as? Multiply, multiply.own == nil else {
        continue
      }
      for (x, gate) in [(product.inputs[0], product.inputs[1]), (product.inputs[1], product.inputs[0])] {
        guard let inner = draft.nodes[gate], draft.onlyReader(of: gate) == index else { continue }
        if inner.inputs == [x], let whole = Self.activation(gatedBy: inner.operator) {
          draft.replace(index, by: whole, reading: [x], removing: [gate])
          break
        }
        if let removed = gaussianGate(gate, of: x, in: draft), let half = draft.onlyReader(of: index),
          Self.isAffine(draft.nodes[half]!.operator, scale: 0.5, shift: 0)
        {
          draft.replace(half, by: GELU(), reading: [x], removing: removed + [index])
          break
        }
      }
    }
  }

  private static func activation(gatedBy gate: any Operator) -> (any Operator)? {
    switch gate {
    case is Sigmoid: SiLU()
    case let gate as HardSigmoid where abs(gate.alpha - 1 / 6) < 1e-6 && gate.beta == 0.5: HardSwish()
    default: nil
    }
  }

  /// The nodes of 1 + erf(x / sqrt 2), where `gate` is that.
  private func gaussianGate(_ gate: Int, of x: Int, in draft: Draft) -> [Int]? {
    guard let sum = draft.nodes[gate], Self.isAffine(sum.operator, scale: 1, shift: 1) else { return nil }
    let erf = sum.inputs[0]
    guard draft.nodes[erf]?.operator is Erf, draft.onlyReader(of: erf) == gate else { return nil }
    let scaled = draft.nodes[erf]!.inputs[0]
    guard let scale = draft.nodes[scaled], draft.onlyReader(of: scaled) == erf, scale.inputs == [x],
      Self.isAffine(scale.operator, scale: 0.70710678, shift: 0)
    else { return nil }
    return [scaled, erf, gate]
  }

  private static func isAffine(_ operator: any Operator, scale: Float, shift: Float) -> Bool {
    guard let affine = `operator` as? Affine else { return false }
    return abs(affine.scale - scale) < 1e-6 && affine.shift == shift
  }
}
