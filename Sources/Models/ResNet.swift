import Graph
import Kernels
import Operators

/// The block of a ResNet: two 3x3 convolutions, or 1x1, 3x3 and 1x1 with four times as many channels at its end.
enum ResidualBlock {
  case basic, bottleneck

  var expansion: Int { self == .basic ? 1 : 4 }
}

extension Builder {
  /// ResNet-18 to -101 (He et al. 2015), with torchvision's names: a stem, four stages of 64, 128, 256 and 512 channels
  /// (four times as many with bottlenecks, whose 3x3 convolution has the stride), global average pooling, one dense
  /// layer.
  /// Taps: "layer1" to "layer4" (the stages; the default), every block "layerS.B", and the stem "conv1".
  mutating func resNet(blocks: [Int], _ block: ResidualBlock, stem: Stem, classes: Int) throws(GraphError) -> Network {
    var last = try convolution(
      0, "conv1", outputs: 64, kernel: stem == .imagenet ? 7 : 3, stride: stem == .imagenet ? 2 : 1,
      normalization: "bn1", relu: true)
    network.tap(last, as: "conv1", byDefault: false)
    if stem == .imagenet {
      let window = Window(kernel: .init(3), stride: .init(2), padding: .init(1))
      last = try network.append(MaxPool(window), named: "maxpool", reading: last)
    }
    for (stage, channels) in [64, 128, 256, 512].enumerated() {
      for index in 0..<blocks[stage] {
        let name = "layer\(stage + 1).\(index)"
        let stride = stage > 0 && index == 0 ? 2 : 1
        switch block {
        case .basic: last = try basicBlock(last, name, outputs: channels, stride: stride, shortcut: .projection)
        case .bottleneck: last = try bottleneck(last, name, width: channels, stride: stride)
        }
        network.tap(last, as: name, byDefault: false)
      }
      network.tap(last, as: "layer\(stage + 1)", byDefault: true)
    }
    return try classifier(reading: last, classes: classes)
  }

  private mutating func bottleneck(_ x: Int, _ name: String, width: Int, stride: Int) throws(GraphError) -> Int {
    let outputs = ResidualBlock.bottleneck.expansion * width
    let addend = try shortcut(x, name, outputs: outputs, stride: stride, kind: .projection)
    let narrow = try convolution(
      x, "\(name).conv1", outputs: width, kernel: 1, stride: 1, normalization: "\(name).bn1", relu: true)
    let middle = try convolution(
      narrow, "\(name).conv2", outputs: width, kernel: 3, stride: stride, normalization: "\(name).bn2", relu: true)
    let wide = try convolution(
      middle, "\(name).conv3", outputs: outputs, kernel: 1, stride: 1, normalization: "\(name).bn3", relu: false)
    return try add(wide, addend, name)
  }
}
