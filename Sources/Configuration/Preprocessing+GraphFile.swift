import Files
import Models

extension Preprocessing {
  /// Of an ONNX file: what its metadata say of images, and the size, channels and classes that its network has.
  package init(_ file: GraphFile) throws(FileError) {
    var metadata = file.metadata
    let image = file.network.image
    metadata["preprocessing.size"] = image.height == image.width ? "\(image.height)" : "\(image.height)x\(image.width)"
    metadata["preprocessing.channels"] = "\(image.channels)"
    metadata["preprocessing.classes"] = "\(file.network.classes)"
    try self.init(metadata: metadata, path: file.path)
  }
}
