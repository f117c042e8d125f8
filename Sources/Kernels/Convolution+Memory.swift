import CKernels

extension Convolution {
  /// What one takes, without making it.
  package static func memory(
    _ geometry: ConvolutionGeometry, backend: ConvolutionBackend, passes: Passes
  ) -> MemoryUse {
    let kinds: [(Passes, ck_kind)] = [
      (.forward, CK_FORWARD), (.backwardData, CK_BACKWARD_DATA), (.backwardWeights, CK_BACKWARD_WEIGHTS),
    ]
    return kinds.filter { passes.contains($0.0) }.reduce(MemoryUse()) { $0 + memory(geometry, backend, $1.1) }
  }

  private static func memory(
    _ geometry: ConvolutionGeometry, _ backend: ConvolutionBackend, _ kind: ck_kind
  ) -> MemoryUse {
    let weights = 4 * Double(geometry.weightCount)
    switch backend {
    case .openblas:
      // The gradient needs no copy; the columns of an image lie in the scratch memory.
      let columns = Double(geometry.output.rows / geometry.batch) * weights / Double(geometry.outputs)
      return MemoryUse(own: weights, scratch: columns)
    case .onednn where geometry.isOrdinary && ck_pass_is_ours(kind, geometry.code) != 0:
      return MemoryUse(own: weights)
    case .onednn:
      // Packed and their order; of the gradient the sum over the pieces, too.
      return MemoryUse(own: (kind == CK_BACKWARD_WEIGHTS ? 3 : 2) * weights + primitive, scratch: 16.0 * 1024)
    }
  }

  /// Code and descriptions of a primitive: 8 to 40 KiB with oneDNN 2.6 and AVX-512.
  private static let primitive = 24.0 * 1024
}

extension ConvolutionGeometry {
  /// Whether C's integers hold it, as they do any that memory holds.
  fileprivate var isOrdinary: Bool {
    [batch, height, width, inputs, outputs, padding.top, padding.left, padding.bottom, padding.right].allSatisfy {
      $0 < 1 << 24
    }
  }
}
