import CKernels

extension Convolution {
  /// What one takes, without making it.
  package static func memory(
    _ geometry: ConvolutionGeometry, backend: ConvolutionBackend, elements: Elements = .float32, passes: Passes
  ) -> MemoryUse {
    let kinds: [(Passes, ck_kind)] = [
      (.forward, CK_FORWARD), (.backwardData, CK_BACKWARD_DATA), (.backwardWeights, CK_BACKWARD_WEIGHTS),
    ]
    return kinds.filter { passes.contains($0.0) }.reduce(MemoryUse()) { $0 + memory(geometry, backend, elements, $1.1) }
  }

  private static func memory(
    _ geometry: ConvolutionGeometry, _ backend: ConvolutionBackend, _ elements: Elements, _ kind: ck_kind
  ) -> MemoryUse {
    let weights = 4 * Double(geometry.weightCount)
    switch backend {
    case .openblas:
      // The gradient needs no copy; the columns of an image lie in the scratch memory.
      let columns = Double(geometry.output.rows / geometry.batch) * weights / Double(geometry.outputs)
      return MemoryUse(own: weights, scratch: columns)
    case .onednn where geometry.isOrdinary && ck_pass_is_ours(kind, geometry.code, elements.code) != 0:
      return MemoryUse(own: weights, scratch: Double(ck_own_scratch(kind, geometry.code, elements.code)))
    case .onednn:
      // Packed; of the gradient, which is float32, the sum over the pieces, and a piece's part.
      let packed = Double(elements.y.bytes) * Double(geometry.weightCount)
      let images = elements.x == elements.y ? 0 : 2 * Double(geometry.input.count)
      return kind == CK_BACKWARD_WEIGHTS
        ? MemoryUse(own: weights + primitive, scratch: weights + 16.0 * 1024 + images)
        : MemoryUse(own: packed + primitive, scratch: 16.0 * 1024)
    }
  }

  /// Code and descriptions of a primitive: 8 to 40 KiB with oneDNN 2.6 and AVX-512.
  private static let primitive = 24.0 * 1024
}

extension ConvolutionGeometry {
  /// Whether C's integers hold it, as they do any that memory holds.
  var isOrdinary: Bool {
    [batch, height, width, inputs, outputs, padding.top, padding.left, padding.bottom, padding.right].allSatisfy {
      $0 < 1 << 24
    }
  }
}
