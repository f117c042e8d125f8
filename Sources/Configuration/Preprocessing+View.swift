import Datasets
import Files
import Images

/// How a picture of any size becomes one of a network's.
extension Preprocessing {
  /// What pictures look like to a network, as the images of its run did in evaluation.
  package struct View: Sendable {
    package let shape: ImageShape
    package let normalization: Normalization
    /// The shorter side before the middle is cut out.
    private let shorterSide: Int?
    private let crops: Bool

    init(shape: ImageShape, normalization: Normalization, shorterSide: Int?, crops: Bool) {
      self.shape = shape
      self.normalization = normalization
      self.shorterSide = shorterSide
      self.crops = crops
    }

    package func apply(_ picture: Picture) -> Picture {
      guard crops else { return picture.resized(width: shape.width, height: shape.height) }
      if let shorterSide {
        return picture.resized(shorterSide: shorterSide).centreCropped(width: shape.width, height: shape.height)
      }
      // So that both sides suffice: one becomes its length, the other in proportion, rounded down.
      let byWidth = shape.width * picture.height >= shape.height * picture.width
      return picture.resized(
        width: byWidth ? shape.width : shape.height * picture.width / picture.height,
        height: byWidth ? shape.width * picture.height / picture.width : shape.height
      ).centreCropped(width: shape.width, height: shape.height)
    }
  }

  /// Of the weights at `path`, and where they leave something open, of `configuration`.
  /// Throws where neither says how images become inputs, or where they say different things.
  package func view(_ configuration: RunConfiguration, path: String) throws(FileError) -> View {
    try check(configuration, path: path)
    let filled = filling(configuration)
    guard let mean = filled.data.mean, let std = filled.data.std else {
      throw FileError(
        path: path,
        reason: "does not say how its images were normalised (no preprocessing.mean and .std in its metadata): set "
          + "data.mean and data.std")
    }
    let side = filled.data.size
    guard let height = size?.height ?? side, let width = size?.width ?? side else {
      throw FileError(path: path, reason: "does not say of which size its images were: set data.size")
    }
    guard mean.count == std.count, std.allSatisfy({ $0 > 0 }), channels == nil || channels == mean.count else {
      throw FileError(path: path, reason: "data.mean and data.std: expected one value a channel")
    }
    let evaluation = configuration.data.evaluation
    return View(
      shape: ImageShape(channels: mean.count, height: height, width: width),
      normalization: Normalization(mean: mean, std: std), shorterSide: evaluation.resize,
      crops: evaluation.crop == .center)
  }

  /// What the outputs are called: by their names, else by the data's labels.
  package func outputNames(_ count: Int) -> [String] {
    if let classNames, classNames.count == count { return classNames }
    if case .chosen(let labels)? = classes, labels.count == count { return labels.map { "\($0)" } }
    return (0..<count).map { "\($0)" }
  }
}
