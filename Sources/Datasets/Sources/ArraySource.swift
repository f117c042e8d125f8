import Files
import Formats
import Foundation
import Pictures

/// Images and labels as NumPy's arrays: images of bytes, N x H x W or N x H x W x 3 (or 1), labels of integers, N or N
/// x 1.
struct ImageArrays {
  let images: NumpyFile
  let labels: NumpyFile

  /// Names of the arrays of a part, those of images first: MedMNIST's, and Keras'.
  static func names(_ part: PictureListing.Part) -> [(images: String, labels: String)] {
    part.names.map { ("\($0)_images", "\($0)_labels") } + part.names.map { ("x_\($0)", "y_\($0)") }
  }

  /// The names of a part's arrays of which `isHeld` holds for the images; nil where there are none. Throws where arrays
  /// of several names would be the part: two data sets, or one twice.
  static func names(
    _ part: PictureListing.Part, in path: String, isHeld: (String) -> Bool
  ) throws(FileError) -> (images: String, labels: String)? {
    let held = names(part).filter { isHeld($0.images) }
    guard held.count < 2 else {
      throw FileError(
        path: path,
        reason: "holds \(held[0].images) and \(held[1].images), which are two data sets or one twice: keep those of one"
      )
    }
    return held.first
  }

  /// The images as a data set. Throws where shapes or types are others, or a label is negative or has no number.
  func dataset(classes: Int) throws(FileError) -> Dataset {
    let shape = try self.shape()
    let file = SampleFile(
      path: images.path, count: images.shape[0], pixels: ArrayBytes(images), from: 0, pixelStride: shape.count,
      numbers: try numbers(), areChannelsLast: true)
    return Dataset(shape: shape, classes: classes, files: [file])
  }

  private func shape() throws(FileError) -> ImageShape {
    let sizes = images.shape
    let isKnown = sizes.count == 3 || sizes.count == 4 && [1, 3].contains(sizes[3])
    guard images.type == .u1, isKnown else {
      throw FileError(
        path: images.path,
        reason:
          "an array of shape \(sizes) of \(images.type.rawValue), expected bytes (u1) of shape [N, height, width] or "
          + "[N, height, width, 3]")
    }
    let shape = ImageShape(channels: sizes.count == 4 ? sizes[3] : 1, height: sizes[1], width: sizes[2])
    guard shape.count > 0, max(shape.height, shape.width) <= 65536 else {
      throw FileError(path: images.path, reason: "images of \(shape), expected 1 to 65536 pixels a side")
    }
    return shape
  }

  private func numbers() throws(FileError) -> [Int32] {
    let count = images.shape[0]
    guard labels.type.isInteger, labels.shape == [count] || labels.shape == [count, 1] else {
      throw FileError(
        path: labels.path,
        reason:
          "an array of shape \(labels.shape) of \(labels.type.rawValue), expected integers of shape [\(count)] or "
          + "[\(count), 1], a label an image")
    }
    var numbers: [Int32] = []
    numbers.reserveCapacity(count)
    for index in 0..<count {
      let label = labels.integer(index)
      guard 0...PictureIndex.largestLabel ~= label else {
        throw FileError(
          path: labels.path, reason: "entry \(index): label \(label), expected 0 to \(PictureIndex.largestLabel)")
      }
      numbers.append(Int32(label))
    }
    return numbers
  }

  /// The test images alone; their labels decide the number of classes. nil where there are none.
  static func loadTest(_ parts: [(PictureListing.Part, ImageArrays)]) throws(FileError) -> Dataset? {
    guard let arrays = parts.first(where: { $0.0 == .test })?.1 else { return nil }
    return try arrays.dataset(classes: Int(arrays.numbers().max() ?? 0) + 1)
  }

  /// The data sets of the parts that there are. The largest label of all decides the number of classes.
  static func load(_ path: String, _ parts: [(PictureListing.Part, ImageArrays)]) throws(FileError) -> LoadedData {
    guard let training = parts.first(where: { $0.0 == .training })?.1 else {
      throw FileError(path: path, reason: "holds no training images, expected train_images and train_labels")
    }
    var largest = 0
    for (_, arrays) in parts { largest = max(largest, Int(try arrays.numbers().max() ?? 0)) }
    func part(_ wanted: PictureListing.Part) throws(FileError) -> Dataset? {
      guard let arrays = parts.first(where: { $0.0 == wanted })?.1 else { return nil }
      let dataset = try arrays.dataset(classes: largest + 1)
      guard try dataset.shape == training.shape() else {
        throw FileError(
          path: arrays.images.path,
          reason: "images of \(dataset.shape), expected \(try training.shape()) as in training")
      }
      return dataset.count > 0 ? dataset : nil
    }
    return LoadedData(
      training: try training.dataset(classes: largest + 1), validation: try part(.validation), test: try part(.test))
  }
}

/// The elements of an array of bytes, as they lie in its file or in memory.
final class ArrayBytes: SampleBytes, @unchecked Sendable {
  private let array: NumpyFile
  let bytes: UnsafeRawBufferPointer

  init(_ array: NumpyFile) {
    self.array = array
    // The file stays mapped, and memory in its place, as long as the array is kept.
    bytes = array.elementBytes
  }
}
