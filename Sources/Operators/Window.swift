import CKernels
import Graph
import Kernels

/// The windows of a pooling operator: kernel, stride, dilation, padding.
package struct Window: Sendable {
  package var kernel, stride, dilation: ConvolutionGeometry.Pair
  package var padding: ConvolutionGeometry.Padding
  /// A last window that is only partly inside counts too (PyTorch's `ceil_mode`).
  package var roundsUp: Bool

  package init(
    kernel: ConvolutionGeometry.Pair, stride: ConvolutionGeometry.Pair, dilation: ConvolutionGeometry.Pair = .init(1),
    padding: ConvolutionGeometry.Padding = .init(0), roundsUp: Bool = false
  ) {
    self.kernel = kernel
    self.stride = stride
    self.dilation = dilation
    self.padding = padding
    self.roundsUp = roundsUp
  }

  func output(of x: SampleShape) throws(GraphError) -> SampleShape {
    guard x.rank == 3 else { throw GraphError("expected feature maps (channels, height, width), got \(x)") }
    let height = extent(x[1], padding.top, padding.bottom, kernel.height, dilation.height, stride.height)
    let width = extent(x[2], padding.left, padding.right, kernel.width, dilation.width, stride.width)
    guard height > 0, width > 0 else { throw GraphError("windows of \(kernel.height)x\(kernel.width) over \(x)") }
    // A window that saw nothing but padding would have no mean and no maximum.
    guard padding.top < kernel.height, padding.left < kernel.width, padding.bottom < kernel.height,
      padding.right < kernel.width
    else { throw GraphError("padding as wide as the window") }
    return SampleShape(x[0], height, width)
  }

  private func extent(_ size: Int, _ before: Int, _ after: Int, _ kernel: Int, _ dilation: Int, _ stride: Int) -> Int {
    let room = size + before + after - dilation * (kernel - 1) - 1
    guard room >= 0 || roundsUp else { return 0 }
    var extent = (room + (roundsUp ? stride - 1 : 0)) / stride + 1
    // It must begin inside, or in the padding before.
    if roundsUp, (extent - 1) * stride >= size + before { extent -= 1 }
    return extent
  }

  /// ONNX's, of a pooling node.
  var attributes: [String: ExportGraph.Attribute] {
    [
      "kernel_shape": .integers(kernel.extents), "strides": .integers(stride.extents),
      "dilations": .integers(dilation.extents), "pads": .integers(padding.extents),
      "ceil_mode": .integer(roundsUp ? 1 : 0),
    ]
  }

  func code(_ x: SampleShape, _ y: SampleShape, samples: Int, countsPadding: Bool) -> ck_windows {
    ck_windows(
      batch: Int32(samples), height: Int32(x[1]), width: Int32(x[2]), channels: Int32(x[0]), out_height: Int32(y[1]),
      out_width: Int32(y[2]), kernel_height: Int32(kernel.height), kernel_width: Int32(kernel.width),
      stride_height: Int32(stride.height), stride_width: Int32(stride.width), dilation_height: Int32(dilation.height),
      dilation_width: Int32(dilation.width), top: Int32(padding.top), left: Int32(padding.left),
      bottom: Int32(padding.bottom), right: Int32(padding.right), counts_padding: countsPadding ? 1 : 0)
  }
}
