import Graph
import Kernels
import Operators

/// Times convolutions alone, with nothing fused into them and weights packed beforehand, on memory that all of them
/// share.
final class ConvolutionTimer {
  private let options: RepeatOptions
  private let backend: ConvolutionBackend
  private let scratch = Scratch()
  private let source, gradient, weights, result: Tensor
  /// Source and gradient in bfloat16.
  private let halfSource, halfGradient: Tensor

  /// For `layers` in batches of at most `batch`.
  init(_ layers: [ConvolutionLayer], batch: Int, backend: ConvolutionBackend, options: RepeatOptions) {
    self.options = options
    self.backend = backend
    func largest(_ size: (ConvolutionGeometry) -> Int) -> Int { layers.map { size($0.geometry) }.max() ?? 0 }
    let (inputs, outputs) = (batch * largest { $0.input.count }, batch * largest { $0.output.count })
    let filters = largest(\.weightCount)
    source = Tensor(count: inputs)
    gradient = Tensor(count: outputs)
    weights = Tensor(count: filters)
    result = Tensor(count: max(inputs, outputs, filters))
    // Zeros would do on most processors, but some save power on them.
    var stream = RandomStream(seed: 0, purpose: .test)
    for tensor in [source, gradient, weights] {
      for index in 0..<tensor.count { tensor.pointer[index] = Float(stream.uniform() - 0.5) }
    }
    func half(_ tensor: Tensor) -> Tensor {
      let half = Tensor(count: (tensor.count + 1) / 2)
      Elementwise.convert(tensor.pointer, .float32, count: tensor.count, to: .bfloat16, into: half.pointer)
      return half
    }
    halfSource = half(source)
    halfGradient = half(gradient)
  }

  /// Bytes of the memory that `init` takes.
  static func bytes(_ layers: [ConvolutionLayer], batch: Int) -> Double {
    let largest = layers.map { max($0.geometry.input.count, $0.geometry.output.count) }.max() ?? 0
    return 4 * 4 * Double(batch) * Double(largest)
  }

  /// Seconds of one call, the median over the repeats.
  func seconds(
    _ geometry: ConvolutionGeometry, batch: Int, _ pass: ConvolutionPass, precision: ElementType = .float32
  ) -> Double {
    var geometry = geometry
    geometry.batch = batch
    let elements = Kernels.Convolution.Elements.preferred(precision, for: geometry)
    let convolution = Kernels.Convolution(
      geometry, backend: backend, elements: elements, passes: pass.passes, scratch: scratch)
    let x = elements.x == .bfloat16 ? halfSource : source
    let dy = elements.y == .bfloat16 ? halfGradient : gradient
    if pass != .backwardWeights { convolution.load(weights.pointer, for: pass.passes) }
    // The sum that pieces add to begins with a first one.
    if pass == .backwardWeights { convolution.backward(dy.pointer, x: x.pointer, isFirst: true) }
    let timed =
      switch pass {
      case .forward: options.secondsPerCall { convolution.forward(x.pointer, into: result.pointer) }
      case .backwardData: options.secondsPerCall { convolution.backward(dy.pointer, intoInput: result.pointer) }
      case .backwardWeights:
        options.secondsPerCall {
          convolution.backward(dy.pointer, x: x.pointer, isFirst: false)
        }
      }
    return timed.median
  }
}
