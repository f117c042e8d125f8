import Kernels

extension Architecture {
  /// ResNet-(6n+2) for small images (He et al. 2015, section 4.2): a 3x3 stem of 16 channels, three stages of n basic blocks
  /// with 16, 32 and 64 channels, the second and third starting at stride 2, global average pooling, one dense layer.
  /// Taps: "layer1", "layer2", "layer3" (the stages; the default), every block "layerS.B", and the stem "conv1".
  package static func resNet(depth: Int, shortcut: Shortcut, input: Shape, classes: Int) -> Architecture {
    precondition(depth % 6 == 2, "a CIFAR ResNet has depth 6n + 2, not \(depth)")
    var network = Architecture(input: input, classes: classes)
    var last = network.convolution(
      reading: 0, name: "conv1", batchNorm: "bn1", outputs: 16, kernel: 3, stride: 1, relu: true)
    network.tap(last, as: "conv1", byDefault: false)
    let blocks = (depth - 2) / 6
    for (stage, channels) in [16, 32, 64].enumerated() {
      for block in 0..<blocks {
        last = network.basicBlock(
          reading: last, name: "layer\(stage + 1).\(block)", outputs: channels,
          stride: stage > 0 && block == 0 ? 2 : 1, shortcut: shortcut)
        network.tap(last, as: "layer\(stage + 1).\(block)", byDefault: false)
      }
      network.tap(last, as: "layer\(stage + 1)", byDefault: true)
    }
    let pooled = network.append(.pool, reading: last, shape: Shape(batch: 1, channels: 64))
    _ = network.append(
      .linear(name: "fc", relu: false), reading: pooled, shape: Shape(batch: 1, channels: classes))
    return network
  }

  /// relu(bn2(conv2(relu(bn1(conv1(x))))) + shortcut(x))
  private mutating func basicBlock(reading input: Int, name: String, outputs: Int, stride: Int, shortcut: Shortcut)
    -> Int
  {
    let source = nodes[input].shape
    let addend: Int
    switch shortcut {
    case _ where stride == 1 && source.channels == outputs:
      addend = input
    case .projection:
      addend = convolution(
        reading: input, name: "\(name).downsample.0", batchNorm: "\(name).downsample.1", outputs: outputs, kernel: 1,
        stride: stride, relu: false)
    case .pad:
      let shape = Shape(
        batch: 1, height: (source.height - 1) / stride + 1, width: (source.width - 1) / stride + 1, channels: outputs)
      addend = append(.padShortcut(stride: stride), reading: input, shape: shape)
    }
    let hidden = convolution(
      reading: input, name: "\(name).conv1", batchNorm: "\(name).bn1", outputs: outputs, kernel: 3, stride: stride,
      relu: true)
    return convolution(
      reading: hidden, name: "\(name).conv2", batchNorm: "\(name).bn2", outputs: outputs, kernel: 3, stride: 1,
      relu: true, addend: addend)
  }

  private mutating func convolution(
    reading input: Int, name: String, batchNorm: String, outputs: Int, kernel: Int, stride: Int, relu: Bool,
    addend: Int? = nil
  ) -> Int {
    let filter = Filter(
      name: name, batchNorm: batchNorm, kernel: kernel, stride: stride, relu: relu, addend: addend)
    let geometry = ConvolutionGeometry(
      input: nodes[input].shape, outputs: outputs, kernel: kernel, stride: stride, padding: filter.padding)
    return append(.convolution(filter), reading: input, shape: geometry.output)
  }
}
