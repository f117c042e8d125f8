import CKernels

/// A convolution: x (batch, height, width, inputs) with filters (outputs, inputs / groups, kernel height, kernel
/// width).
package struct ConvolutionGeometry: Hashable, Sendable {
  /// Two numbers, one a direction.
  package struct Pair: Hashable, Sendable {
    package var height: Int
    package var width: Int
    package init(height: Int, width: Int) {
      self.height = height
      self.width = width
    }
    package init(_ both: Int) { self.init(height: both, width: both) }
    /// As ONNX lists them.
    package var extents: [Int] { [height, width] }
  }

  /// Positions of zeros on each side.
  package struct Padding: Hashable, Sendable {
    package var top, left, bottom, right: Int
    package init(top: Int, left: Int, bottom: Int, right: Int) {
      self.top = top
      self.left = left
      self.bottom = bottom
      self.right = right
    }
    package init(_ all: Int) { self.init(top: all, left: all, bottom: all, right: all) }
    /// As ONNX lists them.
    package var extents: [Int] { [top, left, bottom, right] }
  }

  package var batch: Int
  package var height: Int
  package var width: Int
  package var inputs: Int
  package var outputs: Int
  package var kernel: Pair
  package var stride: Pair
  package var dilation: Pair
  package var padding: Padding
  package var groups: Int

  package init(
    input: Shape, outputs: Int, kernel: Pair, stride: Pair = Pair(1), dilation: Pair = Pair(1),
    padding: Padding = Padding(0), groups: Int = 1
  ) {
    batch = input.batch
    height = input.height
    width = input.width
    inputs = input.channels
    self.outputs = outputs
    self.kernel = kernel
    self.stride = stride
    self.dilation = dilation
    self.padding = padding
    self.groups = groups
  }

  /// A square one.
  package init(input: Shape, outputs: Int, kernel: Int, stride: Int, padding: Int) {
    self.init(
      input: input, outputs: outputs, kernel: Pair(kernel), stride: Pair(stride), padding: Padding(padding))
  }

  package var input: Shape { Shape(batch: batch, height: height, width: width, channels: inputs) }
  package var output: Shape {
    Shape(
      batch: batch,
      height: Self.extent(height, padding.top + padding.bottom, kernel.height, dilation.height, stride.height),
      width: Self.extent(width, padding.left + padding.right, kernel.width, dilation.width, stride.width),
      channels: outputs)
  }
  private static func extent(_ size: Int, _ padding: Int, _ kernel: Int, _ dilation: Int, _ stride: Int) -> Int {
    (size + padding - dilation * (kernel - 1) - 1) / stride + 1
  }

  package var weightCount: Int { outputs * (inputs / groups) * kernel.height * kernel.width }
  /// Multiplications and additions of one forward pass; each backward pass takes as many.
  package var operations: Int { 2 * output.rows * weightCount }

  var code: ck_geometry {
    ck_geometry(
      batch: Int32(batch), height: Int32(height), width: Int32(width), inputs: Int32(inputs), outputs: Int32(outputs),
      groups: Int32(groups), kernel_height: Int32(kernel.height), kernel_width: Int32(kernel.width),
      stride_height: Int32(stride.height), stride_width: Int32(stride.width), dilation_height: Int32(dilation.height),
      dilation_width: Int32(dilation.width), top: Int32(padding.top), left: Int32(padding.left),
      bottom: Int32(padding.bottom), right: Int32(padding.right))
  }
}
