import CKernels

/// A dense layer y = x w^T + b, x (batch, inputs), w (outputs, inputs) as PyTorch keeps it; max(., 0) after it for a
/// hidden layer.
package struct Linear: Sendable {
  private let shape: ck_dense
  private let backend: ck_backend

  package init(batch: Int, inputs: Int, outputs: Int, relu: Bool = false, backend: ConvolutionBackend) {
    shape = ck_dense(rows: Int32(batch), inputs: Int32(inputs), outputs: Int32(outputs), relu: relu ? 1 : 0)
    self.backend = backend.code
  }

  package var relu: Bool { shape.relu != 0 }

  package func forward(
    _ x: UnsafePointer<Float>, weight: UnsafePointer<Float>, bias: UnsafePointer<Float>,
    into y: UnsafeMutablePointer<Float>
  ) {
    ck_dense_forward(backend, shape, x, weight, bias, y)
  }

  /// forward was y = x w^T + b, so dx = dy w.
  package func backward(
    _ dy: UnsafePointer<Float>, weight: UnsafePointer<Float>, intoInput dx: UnsafeMutablePointer<Float>
  ) {
    ck_dense_backward_data(backend, shape, dy, weight, dx)
  }

  /// forward was y = x w^T + b, so dw = dy^T x and db = sum of dy over the batch.
  package func backward(
    _ dy: UnsafePointer<Float>, x: UnsafePointer<Float>, intoWeight dw: UnsafeMutablePointer<Float>,
    bias db: UnsafeMutablePointer<Float>
  ) {
    ck_dense_backward_weights(backend, shape, dy, x, dw)
    let (rows, outputs) = (Int(shape.rows), Int(shape.outputs))
    for output in 0..<outputs {
      var sum = 0.0
      for row in 0..<rows { sum += Double(dy[row * outputs + output]) }
      db[output] = Float(sum)
    }
  }
}

extension ConvolutionBackend {
  var code: ck_backend { self == .onednn ? CK_ONEDNN : CK_OPENBLAS }
}
