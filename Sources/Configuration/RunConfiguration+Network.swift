import Graph
import Kernels
import Models

extension RunConfiguration.ModelSection {
  /// The network that the section names, for images of a shape. Throws where there is none.
  package func network(of image: Shape, classes: Int) throws(GraphError) -> Network {
    try Network.make(
      kind, shortcut: shortcut, hidden: hidden, input: SampleShape(image.channels, image.height, image.width),
      classes: classes)
  }
}
