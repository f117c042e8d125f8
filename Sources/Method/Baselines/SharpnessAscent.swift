import Kernels

/// The first half of SAM (Foret et al. 2021): the weights at the worst place within `radius`, to first order,
/// w + radius g / ||g||, whose gradient the step then takes at w.
///
/// Each shard goes up along its own gradient, the paper's own practice on several accelerators (its "m-sharpness", m the
/// samples of a shard): no reduction more, and the same bits at any number of ranks.
final class SharpnessAscent {
  private let radius: Double
  private let ascended: Tensor

  /// `count` parameters.
  init(radius: Double, count: Int) {
    self.radius = radius
    ascended = Tensor(count: count)
  }

  /// The weights to take the gradient at; `parameters` stay as they are. A gradient of 0 leaves them in place.
  func weights(from parameters: UnsafePointer<Float>, along gradients: Tensor) -> UnsafePointer<Float> {
    // In double precision and the order of the index, as for clipping.
    var sum = 0.0
    for value in gradients.values { sum += Double(value) * Double(value) }
    // The term beside the norm is that of the usual PyTorch implementation.
    let step = Float(radius / (sum.squareRoot() + 1e-12))
    Elementwise.combine(1, parameters, step, gradients.pointer, count: gradients.count, into: ascended.pointer)
    return UnsafePointer(ascended.pointer)
  }
}
