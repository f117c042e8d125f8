import Configuration
import Datasets
import Files

import struct Kernels.Shape

extension ImageShape {
  /// That of the images that a tensor holds.
  package init(_ images: Shape) {
    self.init(channels: images.channels, height: images.height, width: images.width)
  }

  /// One image as a network reads it.
  package var input: Shape { Shape(batch: 1, height: height, width: width, channels: channels) }
}

extension CIFARC {
  /// The files of `evaluation.cifar_c`, for images like those of `test`; nil where none are named. Their labels must be
  /// those of `wholeTest`, the test images of the files.
  package init?(
    _ configuration: RunConfiguration, like test: Dataset, wholeTest: @autoclosure () throws(FileError) -> Dataset
  ) throws(FileError) {
    guard let path = configuration.evaluation.cifarC else { return nil }
    try self.init(
      directory: path, shape: configuration.data.size == nil ? test.shape : nil, classes: test.classes,
      kept: configuration.data.classes, test: wholeTest())
    guard shape.channels == test.shape.channels else {
      throw FileError(path: path, reason: "images of \(shape), expected \(test.shape.channels) channels, as the data's")
    }
  }
}
