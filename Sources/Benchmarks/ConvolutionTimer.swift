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
  }

  /// Bytes of the memory that `init` takes.
  static func bytes(_ layers: [ConvolutionLayer], batch: Int) -> Double {
    let largest = layers.map { max($0.geometry.input.count, $0.geometry.output.count) }.max() ?? 0
    return 3 * 4 * Double(batch) * Double(largest)
  }

  /// Seconds of one call, the median over the repeats.
  func seconds(_ geometry: ConvolutionGeometry, batch: Int, _ pass: ConvolutionPass) -> Double {
    var geometry = geometry
    geometry.batch = batch
    let convolution = Kernels.Convolution(geometry, backend: backend, passes: pass.passes, scratch: scratch)
    if pass != .backwardWeights { convolution.load(weights.pointer, for: pass.passes) }
    // The sum that pieces add to begins with a first one.
    if pass == .backwardWeights { convolution.backward(gradient.pointer, x: source.pointer, isFirst: true) }
    let timed =
      switch pass {
      case .forward: options.secondsPerCall { convolution.forward(source.pointer, into: result.pointer) }
      case .backwardData: options.secondsPerCall { convolution.backward(gradient.pointer, intoInput: result.pointer) }
      case .backwardWeights:
        options.secondsPerCall {
          convolution.backward(gradient.pointer, x: source.pointer, isFirst: false)
        }
      }
    return timed.median
  }
}
