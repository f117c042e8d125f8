import Kernels
import Testing

/// The dense layer's own loops, which the oneDNN backend takes, against OpenBLAS's sgemm.
@Suite struct `Dense layer in tiles` {
  /// Tiles are 1 to 8 rows, 2 outputs forward; 16 or 48 inputs backward; and sums go by 256 inputs, 64 outputs or rows,
  /// 32 rows. Each size stands below, at and above such a bound.
  static let shapes = [
    (1, 1, 1), (2, 15, 3), (3, 16, 2), (4, 17, 1), (5, 47, 10), (7, 48, 9), (8, 64, 10), (9, 65, 64), (13, 111, 65),
    (16, 256, 5), (17, 257, 7), (32, 300, 33), (33, 515, 31), (41, 512, 130), (70, 96, 100), (129, 64, 10),
  ]

  private struct Products {
    var y, dx, dw, db: Tensor
    var all: [(String, Tensor)] { [("y", y), ("dx", dx), ("dw", dw), ("db", db)] }
  }

  private func products(
    rows: Int, inputs: Int, outputs: Int, relu: Bool = false, backend: ConvolutionBackend, x: [Float], w: [Float],
    b: [Float], dy: [Float]
  ) -> Products {
    func unset(_ count: Int) -> Tensor {
      let tensor = Tensor(count: count)
      for index in 0..<count { tensor.pointer[index] = .nan }
      return tensor
    }
    let layer = Linear(batch: rows, inputs: inputs, outputs: outputs, relu: relu, backend: backend)
    let result = Products(
      y: unset(rows * outputs), dx: unset(rows * inputs), dw: unset(outputs * inputs), db: unset(outputs))
    layer.forward(x, weight: w, bias: b, into: result.y.pointer)
    layer.backward(dy, weight: w, intoInput: result.dx.pointer)
    layer.backward(dy, x: x, intoWeight: result.dw.pointer, bias: result.db.pointer)
    return result
  }

  /// Sums of n products of normal numbers in two orders; why so far is said at the convolution's tolerance
  /// (OwnConvolutionTests). The bias is one more term.
  @Test(arguments: shapes, [false, true])
  func `agrees with sgemm`(shape: (Int, Int, Int), relu: Bool) {
    let (rows, inputs, outputs) = shape
    var numbers = Numbers()
    let (x, w, b) = (numbers(rows * inputs), numbers(outputs * inputs), numbers(outputs))
    let dy = numbers(rows * outputs)
    let results = ConvolutionBackend.allCases.map {
      products(
        rows: rows, inputs: inputs, outputs: outputs, relu: relu, backend: $0, x: x, w: w, b: b, dy: dy)
    }
    let tolerance = 8 * Float(max(rows, inputs, outputs) + 1) * 0x1p-24
    for (ours, theirs) in zip(results[0].all, results[1].all) {
      let farthest = zip(ours.1.values, theirs.1.values).reduce(Float(0)) {
        $1.0.isFinite ? max($0, abs($1.0 - $1.1)) : .infinity
      }
      #expect(farthest <= tolerance, "\(ours.0) of \(shape)")
    }
  }

  /// The neighbours are not numbers, so a read of what lies before or after the row shows too.
  @Test(arguments: [(64, 10), (257, 7), (300, 65)])
  func `a row has the same bits alone and between others`(inputs: Int, outputs: Int) {
    var numbers = Numbers()
    let (x, dy) = (numbers(inputs), numbers(outputs))
    let (w, b) = (numbers(outputs * inputs), numbers(outputs))
    func bits(rows: Int, row: Int) -> [[UInt32]] {
      func placed(_ values: [Float]) -> [Float] {
        (0..<rows).flatMap { $0 == row ? values : values.map { _ in .nan } }
      }
      let result = products(
        rows: rows, inputs: inputs, outputs: outputs, relu: true, backend: .onednn, x: placed(x), w: w, b: b,
        dy: placed(dy))
      return [(result.y, outputs), (result.dx, inputs)].map { tensor, count in
        tensor.values[row * count..<(row + 1) * count].map(\.bitPattern)
      }
    }
    let reference = bits(rows: 1, row: 0)
    for (rows, row) in [(2, 1), (3, 2), (7, 3), (8, 0), (12, 9), (33, 32), (70, 40)] {
      #expect(bits(rows: rows, row: row) == reference, "row \(row) of \(rows)")
    }
  }

  @Test(arguments: ConvolutionBackend.allCases)
  func `what is not a number passes the ReLU`(backend: ConvolutionBackend) {
    let layer = Linear(batch: 2, inputs: 20, outputs: 3, relu: true, backend: backend)
    let y = Tensor(count: 6)
    layer.forward(
      [Float](repeating: .nan, count: 40), weight: [Float](repeating: -1, count: 60), bias: [0, 0, 0], into: y.pointer)
    #expect(y.values.allSatisfy { $0.isNaN })
  }
}
