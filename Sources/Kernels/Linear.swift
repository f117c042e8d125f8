import CKernels

/// A dense layer y = x w^T + b, x (batch, inputs), w (outputs, inputs) as PyTorch keeps it; max(., 0) behind it for a
/// hidden layer.
package struct Linear: Sendable {
  package let batch: Int
  package let inputs: Int
  package let outputs: Int
  package let relu: Bool

  package init(batch: Int, inputs: Int, outputs: Int, relu: Bool = false) {
    (self.batch, self.inputs, self.outputs, self.relu) = (batch, inputs, outputs, relu)
  }

  package func forward(
    _ x: UnsafePointer<Float>, weight: UnsafePointer<Float>, bias: UnsafePointer<Float>,
    into y: UnsafeMutablePointer<Float>
  ) {
    for row in 0..<batch { (y + row * outputs).update(from: bias, count: outputs) }
    ck_gemm(
      0, 1, Int32(batch), Int32(outputs), Int32(inputs), x, Int32(inputs), weight, Int32(inputs), 1, y,
      Int32(outputs))
    guard relu else { return }
    for index in 0..<batch * outputs { y[index] = max(y[index], 0) }
  }

  /// forward was y = x w^T + b, so dx = dy w.
  package func backward(
    _ dy: UnsafePointer<Float>, weight: UnsafePointer<Float>, intoInput dx: UnsafeMutablePointer<Float>
  ) {
    ck_gemm(
      0, 0, Int32(batch), Int32(inputs), Int32(outputs), dy, Int32(outputs), weight, Int32(inputs), 0, dx,
      Int32(inputs))
  }

  /// forward was y = x w^T + b, so dw = dy^T x and db = sum of dy over the batch.
  package func backward(
    _ dy: UnsafePointer<Float>, x: UnsafePointer<Float>, intoWeight dw: UnsafeMutablePointer<Float>,
    bias db: UnsafeMutablePointer<Float>
  ) {
    ck_gemm(
      1, 0, Int32(outputs), Int32(inputs), Int32(batch), dy, Int32(outputs), x, Int32(inputs), 0, dw, Int32(inputs)
    )
    for output in 0..<outputs {
      var sum = 0.0
      for row in 0..<batch { sum += Double(dy[row * outputs + output]) }
      db[output] = Float(sum)
    }
  }
}
