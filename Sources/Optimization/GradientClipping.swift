import Kernels

extension Optimizer {
  /// The global L2 norm of `gradients`, which are then scaled by min(1, limit / (norm + 1e-6)), as PyTorch's
  /// `clip_grad_norm_`; nil does not clip. Returns the norm from before.
  package static func clip(_ gradients: Tensor, to limit: Double?) -> Double {
    let norm = gradients.norm
    guard let limit, limit < norm + 1e-6 else { return norm }
    let factor = Float(limit / (norm + 1e-6))
    let values = gradients.pointer
    for index in 0..<gradients.count { values[index] *= factor }
    return norm
  }
}
