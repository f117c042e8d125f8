import Files
import Models

extension Preprocessing {
  /// Of an ONNX file: what its metadata say of images, and the size, channels and classes that its network has.
  package init(_ file: GraphFile) throws(FileError) {
    var metadata = file.metadata
    let image = file.network.image
    metadata["preprocessing.size"] = image.height == image.width ? "\(image.height)" : "\(image.height)x\(image.width)"
    metadata["preprocessing.channels"] = "\(image.channels)"
    // An export's list of the data's labels, one an output.
    let labels = metadata["preprocessing.classes"].map { $0.hasPrefix("[") ? $0.split(separator: ",").count : 0 }
    if labels != file.network.classes { metadata["preprocessing.classes"] = "\(file.network.classes)" }
    try self.init(metadata: metadata, path: file.path)
  }
}
