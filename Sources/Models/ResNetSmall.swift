import Graph
import Kernels
import Operators

extension Builder {
  /// ResNet-(6n+2) for small images (He et al. 2015, section 4.2): a 3x3 stem of 16 channels, three stages of n basic
  /// blocks with 16, 32 and 64 channels, the second and third starting at stride 2, global average pooling, one dense
  /// layer.
  /// Taps: "layer1", "layer2", "layer3" (the stages; the default), every block "layerS.B", and the stem "conv1".
  mutating func smallResNet(depth: Int, shortcut: Shortcut, classes: Int) throws(GraphError) -> Network {
    precondition(depth % 6 == 2, "a CIFAR ResNet has depth 6n + 2, not \(depth)")
    var last = try convolution(0, "conv1", outputs: 16, kernel: 3, stride: 1, normalization: "bn1", relu: true)
    network.tap(last, as: "conv1", byDefault: false)
    let blocks = (depth - 2) / 6
    for (stage, channels) in [16, 32, 64].enumerated() {
      for block in 0..<blocks {
        last = try basicBlock(
          last, "layer\(stage + 1).\(block)", outputs: channels, stride: stage > 0 && block == 0 ? 2 : 1,
          shortcut: shortcut)
        network.tap(last, as: "layer\(stage + 1).\(block)", byDefault: false)
      }
      network.tap(last, as: "layer\(stage + 1)", byDefault: true)
    }
    return try classifier(reading: last, classes: classes)
  }
}
