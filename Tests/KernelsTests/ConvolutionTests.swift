import Kernels
import TestSupport
import Testing

/// Each operator against PyTorch. 5e-5 of the largest value: what float32 differs from double precision by in the
/// reference itself, with room for another order of summation.
private let tolerance = 5e-5

@Suite struct `Convolution operators` {
  static let layers: [(name: String, stride: Int, padding: Int)] = [
    ("conv3x3", 1, 1), ("conv3x3_stride2", 2, 1), ("conv3x3_rgb", 1, 1), ("conv1x1_stride2", 2, 0),
    ("conv3x3_odd", 1, 1), ("conv5x5", 1, 0),
  ]

  @Test(arguments: Golden.Source.allCases, ConvolutionBackend.allCases)
  func `forward and both backward passes agree with PyTorch`(source: Golden.Source, backend: ConvolutionBackend)
    throws
  {
    guard let golden = try Golden.load("operators", from: source) else { return }
    var checked = 0
    for layer in Self.layers where golden.has("\(layer.name).x") {
      checked += 1
      let (x, w) = (golden.shape("\(layer.name).x"), golden.shape("\(layer.name).w"))
      let geometry = ConvolutionGeometry(
        input: Shape(batch: x[0], height: x[2], width: x[3], channels: x[1]), outputs: w[0], kernel: w[2],
        stride: layer.stride, padding: layer.padding)
      let convolution = Convolution(
        geometry, backend: backend, passes: [.forward, .backwardData, .backwardWeights], scratch: Scratch())
      let values = try golden.channelsLast("\(layer.name).x")
      let dy = try golden.channelsLast("\(layer.name).dy")
      convolution.load(try golden.floats("\(layer.name).w"))
      let y = Tensor(geometry.output)
      let dx = Tensor(geometry.input)
      let dw = Tensor(count: geometry.weightCount)
      convolution.forward(values, into: y.pointer)
      convolution.backward(dy, intoInput: dx.pointer)
      convolution.backward(dy, x: values, intoWeights: dw.pointer)
      #expect(Distance.maximum(y.values, try golden.channelsLast("\(layer.name).y")) < tolerance, "\(layer) y")
      #expect(Distance.maximum(dx.values, try golden.channelsLast("\(layer.name).dx")) < tolerance, "\(layer) dx")
      #expect(Distance.maximum(dw.values, try golden.floats("\(layer.name).dw")) < tolerance, "\(layer) dw")
    }
    #expect(checked >= 4)
  }

  @Test(arguments: ConvolutionBackend.allCases, [(8, 16, 16), (5, 3, 16), (3, 5, 7)])
  func `bias, addend and ReLU fused equal the same things done one by one`(
    backend: ConvolutionBackend, sizes: (Int, Int, Int)
  ) {
    let geometry = ConvolutionGeometry(
      input: Shape(batch: sizes.0, height: 9, width: 9, channels: sizes.1), outputs: sizes.2, kernel: 3, stride: 1,
      padding: 1)
    let scratch = Scratch()
    var stream = RandomStream(seed: 1, purpose: .test)
    func normal(_ count: Int) -> [Float] { (0..<count).map { _ in Float(stream.normal()) } }
    let (x, w, b) = (normal(geometry.input.count), normal(geometry.weightCount), normal(geometry.outputs))
    let addend = normal(geometry.output.count)
    let plain = Convolution(geometry, backend: backend, passes: .forward, scratch: scratch)
    let fused = Convolution(
      geometry, backend: backend, passes: .forward, fusing: [.bias, .addend, .relu], scratch: scratch)
    let (y, z) = (Tensor(geometry.output), Tensor(geometry.output))
    plain.load(w)
    plain.forward(x, into: y.pointer)
    fused.load(w)
    fused.forward(x, bias: b, addend: addend, into: z.pointer)
    let expected = y.values.indices.map { max(y.values[$0] + b[$0 % geometry.outputs] + addend[$0], 0) }
    // The order of three additions: a few units in the last place.
    #expect(Distance.maximum(z.values, expected) < 1e-6)
  }
}
