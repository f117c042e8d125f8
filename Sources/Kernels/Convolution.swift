import CKernels

/// One convolution's plans for one shape: forward, backward to the input, backward to the weights, each built here
/// once and run many times without an allocation of ours. Weights are OIHW; a pass that reads them works on a packed
/// copy, made by `load`.
package final class Convolution {
  package struct Passes: OptionSet, Sendable {
    package let rawValue: Int
    package init(rawValue: Int) { self.rawValue = rawValue }
    package static let forward = Passes(rawValue: 1)
    package static let backwardData = Passes(rawValue: 2)
    package static let backwardWeights = Passes(rawValue: 4)
  }

  /// What the forward pass does to the sum before it stores it, in this order.
  package struct Fusion: OptionSet, Sendable {
    package let rawValue: Int
    package init(rawValue: Int) { self.rawValue = rawValue }
    package static let bias = Fusion(rawValue: 1)
    package static let addend = Fusion(rawValue: 2)
    package static let relu = Fusion(rawValue: 4)
  }

  /// The types of elements of x, of y and the addend, and of the gradients with respect to them. Weights, biases and
  /// the weights' gradients are float32 outside.
  package struct Elements: Hashable, Sendable {
    package var x, y: ElementType
    package init(x: ElementType, y: ElementType) {
      self.x = x
      self.y = y
    }
    package static let float32 = Elements(x: .float32, y: .float32)
    package static let bfloat16 = Elements(x: .bfloat16, y: .bfloat16)

    /// What a convolution takes and gives in a program of `precision`: images as they are, where a kernel of ours reads
    /// them.
    package static func preferred(_ precision: ElementType, for geometry: ConvolutionGeometry) -> Elements {
      precision == .bfloat16 && geometry.isOrdinary && ck_reads_images(geometry.code) != 0
        ? Elements(x: .float32, y: .bfloat16) : Elements(x: precision, y: precision)
    }

    var code: ck_elements { ck_elements(x: x.code, y: y.code) }
  }

  package let geometry: ConvolutionGeometry
  private let forwardPass, backwardDataPass, backwardWeightsPass: OpaquePointer?
  private let scratch: Scratch

  package init(
    _ geometry: ConvolutionGeometry, backend: ConvolutionBackend, elements: Elements = .float32, passes: Passes,
    fusing fusion: Fusion = [], scratch: Scratch
  ) {
    precondition(backend == .onednn || elements == .float32, "bfloat16 is oneDNN's")
    self.geometry = geometry
    self.scratch = scratch
    func plan(_ pass: Passes, _ kind: ck_kind, _ fusion: Fusion = []) -> OpaquePointer? {
      guard passes.contains(pass) else { return nil }
      let plan = ck_pass_create(
        backend.code, kind, geometry.code, elements.code, fusion.contains(.bias) ? 1 : 0,
        fusion.contains(.relu) ? 1 : 0, fusion.contains(.addend) ? 1 : 0)
      scratch.reserve(ck_pass_scratch(plan))
      return plan
    }
    forwardPass = plan(.forward, CK_FORWARD, fusion)
    backwardDataPass = plan(.backwardData, CK_BACKWARD_DATA)
    backwardWeightsPass = plan(.backwardWeights, CK_BACKWARD_WEIGHTS)
  }

  deinit {
    for case .some(let pass) in [forwardPass, backwardDataPass, backwardWeightsPass] { ck_pass_destroy(pass) }
  }

  /// Packs `weights` (OIHW) for the forward pass, the backward pass to the input, or both.
  package func load(_ weights: UnsafePointer<Float>, for passes: Passes = [.forward, .backwardData]) {
    if passes.contains(.forward), let forwardPass { ck_pass_pack(forwardPass, weights) }
    if passes.contains(.backwardData), let backwardDataPass { ck_pass_pack(backwardDataPass, weights) }
  }

  /// y = x * w, then + bias, + addend, max(., 0), each where it was asked for at init.
  package func forward(
    _ x: UnsafeRawPointer, bias: UnsafePointer<Float>? = nil, addend: UnsafeRawPointer? = nil,
    into y: UnsafeMutableRawPointer
  ) {
    ck_forward(forwardPass!, x, bias, addend, y, scratch.pointer)
  }

  /// forward was y = x * w, so dx = dy * w, transposed.
  package func backward(_ dy: UnsafeRawPointer, intoInput dx: UnsafeMutableRawPointer) {
    ck_backward_data(backwardDataPass!, dy, dx, scratch.pointer)
  }

  /// Whether `backward(_:adding:maskedBy:intoInput:)` can be called.
  package var masksBackward: Bool { backwardDataPass.map { ck_pass_masks($0) != 0 } ?? false }

  /// dx = (dy * w, transposed, + the sum of `sources`, at most two) where y > 0, and zero elsewhere; all of it without
  /// y. In one pass over memory; dx may be a source.
  package func backward(
    _ dy: UnsafeRawPointer, adding sources: UnsafeBufferPointer<UnsafeRawPointer?>, maskedBy y: UnsafeRawPointer?,
    intoInput dx: UnsafeMutableRawPointer
  ) {
    precondition(masksBackward && sources.count <= 2, "\(sources.count) sources")
    ck_backward_data_masked(backwardDataPass!, dy, sources.baseAddress, Int32(sources.count), y, dx)
  }

  /// forward was y = x * w, so dw = sum over samples and positions of x dy. A batch may come in pieces: the sum stays
  /// here, begun anew by its first piece, and `weightGradient` hands it over.
  package func backward(_ dy: UnsafeRawPointer, x: UnsafeRawPointer, isFirst: Bool) {
    ck_backward_weights(backwardWeightsPass!, x, dy, isFirst ? 1 : 0, scratch.pointer)
  }

  /// dw (OIHW) of the pieces since the last first one, set or added to.
  package func weightGradient(adding: Bool = false, into dw: UnsafeMutablePointer<Float>) {
    ck_weight_gradient(backwardWeightsPass!, adding ? 1 : 0, dw)
  }

  /// dw of a batch in one piece; overwrites dw (OIHW).
  package func backward(
    _ dy: UnsafeRawPointer, x: UnsafeRawPointer, intoWeights dw: UnsafeMutablePointer<Float>
  ) {
    backward(dy, x: x, isFirst: true)
    weightGradient(into: dw)
  }
}
