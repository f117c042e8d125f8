import CKernels
import Graph
import Kernels

/// Batch normalisation by running statistics that stay: y = relu?(x scale + shift, + addend) by channel, where scale =
/// weight / sqrt(variance + eps) and shift = bias - mean scale. The coefficients are made as weights are packed.
final class FixedNormalizationKernel: Kernel {
  private let normalization: BatchNormalization
  private let statistics: UnsafePointer<Float>
  private let channels, count, width: Int
  private let element: ElementType
  private let weight, bias, mean, variance: Int
  /// Coefficients repeated along a row of several positions (`ck_row_width`), and zeros.
  private let scale, shift, zero: Tensor

  init(_ normalization: BatchNormalization, _ context: KernelContext) {
    guard let statistics = context.statistics else { preconditionFailure("\(context.name): no running statistics") }
    self.normalization = normalization
    self.statistics = statistics
    channels = context.output.shape[0]
    count = context.output.count
    element = context.output.element
    width = Int(ck_row_width(Int32(channels)))
    weight = context.variables[0]
    bias = context.variables[1]
    mean = context.variables[2]
    variance = context.variables[3]
    scale = Tensor(count: width)
    shift = Tensor(count: width)
    zero = Tensor(count: width)
  }

  func load(_ parameters: UnsafePointer<Float>) {
    for index in 0..<width {
      let channel = index % channels
      let exact =
        Double(parameters[weight + channel])
        / (Double(statistics[variance + channel]) + Double(normalization.epsilon)).squareRoot()
      scale.pointer[index] = Float(exact)
      shift.pointer[index] = Float(Double(parameters[bias + channel]) - Double(statistics[mean + channel]) * exact)
    }
  }

  func forward(_ arguments: borrowing Arguments) {
    ck_normalize(
      element.code, arguments.x[0], arguments.samples * count, Int32(width), zero.pointer, scale.pointer, shift.pointer,
      normalization.hasAddend ? arguments.x[1] : nil, normalization.relu ? 1 : 0, arguments.y)
  }

  /// dx = dy scale; the addend's gradient is dy.
  func backward(_ arguments: borrowing Arguments) {
    guard let dx = arguments.dx[0] else { return }
    ck_normalize(
      element.code, arguments.dy, arguments.samples * count, Int32(width), zero.pointer, scale.pointer, zero.pointer,
      nil,
      0, dx)
  }
}
