import Kernels

/// The layers that run alike in both executors: all but the input and the convolutions.
enum PlainLayer {
  case padShortcut(PadShortcut)
  case pool(GlobalAveragePool)
  case flatten(Flatten)
  case linear(Linear, weight: Int, bias: Int)

  /// The layer of `node`, which reads `input` (with its batch); nil for the input and for convolutions.
  init?(
    _ node: Architecture.Node, reading input: Shape, layout: ParameterLayout, backend: ConvolutionBackend
  ) {
    switch node.operation {
    case .input, .convolution: return nil
    case .padShortcut(let stride):
      self = .padShortcut(PadShortcut(input, outputs: node.shape.channels, stride: stride))
    case .pool: self = .pool(GlobalAveragePool(input))
    case .flatten: self = .flatten(Flatten(input))
    case .linear(let name, let relu):
      self = .linear(
        Linear(
          batch: input.batch, inputs: input.sampleCount, outputs: node.shape.channels, relu: relu, backend: backend),
        weight: layout.start(of: "\(name).weight"), bias: layout.start(of: "\(name).bias"))
    }
  }

  /// Whether the output is zero where the gradient must be.
  var hasReLU: Bool {
    if case .linear(let linear, _, _) = self { linear.relu } else { false }
  }

  func forward(
    _ x: UnsafePointer<Float>, parameters: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>
  ) {
    switch self {
    case .padShortcut(let shortcut): shortcut.forward(x, into: y)
    case .pool(let pool): pool.forward(x, into: y)
    case .flatten(let flatten): flatten.forward(x, into: y)
    case .linear(let linear, let weight, let bias):
      linear.forward(x, weight: parameters + weight, bias: parameters + bias, into: y)
    }
  }

  func backward(
    _ dy: UnsafePointer<Float>, parameters: UnsafePointer<Float>, intoInput dx: UnsafeMutablePointer<Float>
  ) {
    switch self {
    case .padShortcut(let shortcut): shortcut.backward(dy, into: dx)
    case .pool(let pool): pool.backward(dy, into: dx)
    case .flatten(let flatten): flatten.backward(dy, into: dx)
    case .linear(let linear, let weight, _): linear.backward(dy, weight: parameters + weight, intoInput: dx)
    }
  }

  /// The gradients of the layer's own parameters, where it has any.
  func backward(
    _ dy: UnsafePointer<Float>, x: UnsafePointer<Float>, intoGradients gradients: UnsafeMutablePointer<Float>
  ) {
    guard case .linear(let linear, let weight, let bias) = self else { return }
    linear.backward(dy, x: x, intoWeight: gradients + weight, bias: gradients + bias)
  }
}
