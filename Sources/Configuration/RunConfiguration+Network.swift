import Files
import Graph
import Kernels
import Models
import Runtime

extension RunConfiguration.ModelSection {
  /// The network of a file as it lies there; nil for networks that are made in code.
  package func networkOfFile() throws(FileError) -> Network? {
    guard kind == .onnx, let path else { return nil }
    return try GraphFile(path: path).network
  }

  /// The network that the section names, for images of a shape: of a file, or made in code.
  /// Throws: a GraphError where there is none, a FileError for a file that cannot be read.
  package func network(of image: Shape, classes: Int) throws -> Network {
    guard let path, var network = try networkOfFile() else {
      let options = ModelChoice(kind: kind, shortcut: shortcut, stem: stem, hidden: hidden, dropout: dropout)
      return try Network.make(
        options, input: SampleShape(image.channels, image.height, image.width), classes: classes)
    }
    if head == .new, network.classes != classes { network = try network.resizingHead(to: classes) }
    let own = network.image
    guard own == image.withBatch(1) else {
      throw GraphError(
        "\(path) takes images of \(own.channels)x\(own.height)x\(own.width), the data's are "
          + "\(image.channels)x\(image.height)x\(image.width); set data.size, or export it for images of this size")
    }
    guard network.classes >= classes else {
      throw GraphError(
        "\(path) tells \(counted(network.classes, "class")) apart, the data have \(classes); export it with --classes, or set "
          + "'model.head: new'")
    }
    return network
  }
}
