import Graph
import Kernels
import Operators

/// The convolutions of a network that have the same geometry.
package struct ConvolutionLayer {
  /// Of the first of them.
  package var name: String
  /// For a batch of one.
  package var geometry: ConvolutionGeometry
  package var count = 0
  /// How many of them read the images themselves: training takes no gradient with respect to those.
  package var readingImages = 0
}

extension Network {
  /// In the order of the network.
  package var convolutionLayers: [ConvolutionLayer] {
    var layers: [ConvolutionLayer] = []
    for node in nodes {
      guard let convolution = node.operator as? Operators.Convolution else { continue }
      let geometry = convolution.geometry(nodes[node.inputs[0]].shape, samples: 1)
      let index = layers.firstIndex { $0.geometry == geometry } ?? layers.endIndex
      if index == layers.endIndex { layers.append(ConvolutionLayer(name: node.name, geometry: geometry)) }
      layers[index].count += 1
      layers[index].readingImages += node.inputs[0] == 0 ? 1 : 0
    }
    return layers
  }
}
