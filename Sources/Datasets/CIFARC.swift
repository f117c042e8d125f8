import Files
import Formats
import Foundation
import Pictures
import Runtime

/// The files of CIFAR-10-C and CIFAR-100-C (Hendrycks and Dietterich 2019, https://zenodo.org/records/2535967): a
/// NAME.npy a corruption, bytes of shape (5 n, height, width, channels), the test set's n images at severity 1, then at
/// severity 2, and so on; and labels.npy with the 5 n labels.
package struct CIFARC: Sendable {
  private static let severities = Corruption.severities.count

  /// The corruptions that the directory holds, sorted: files' names without ".npy".
  package let names: [String]
  private let files: [String: NumpyFile]
  private let labels: [UInt8]
  private let classes: Int
  private let kept: [Int]?
  package let shape: ImageShape

  /// Opens every file and checks sizes and labels; pixels stay mapped. `shape`: what the images must be, any where nil.
  /// `classes`: the data's; `kept`: of the files' classes those that became them, in this order, where not all did.
  /// `test`: the whole test set, whose labels each severity must repeat.
  package init(
    directory: String, shape expected: ImageShape?, classes: Int, kept: [Int]? = nil, test: Dataset? = nil
  ) throws(FileError) {
    let entries: [String]
    do {
      entries = try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
    } catch {
      throw FileError(
        path: directory,
        reason: "is not a directory that can be read, expected the files of CIFAR-C"
          + ShellPath.hint(directory))
    }
    names = entries.filter { $0.hasSuffix(".npy") && $0 != "labels.npy" }.map { String($0.dropLast(4)) }
    guard !names.isEmpty else {
      throw FileError(
        path: directory,
        reason: "holds no NAME.npy, expected some of CIFAR-C's, such as gaussian_noise.npy"
          + Self.hint(directory, entries))
    }
    // Which classes the files have is not known where some were left out; a byte is what labels fit into.
    self.classes = kept == nil ? classes : 256
    self.kept = kept
    labels = try Self.labels(path: "\(directory)/labels.npy", classes: self.classes)
    if let test { try Self.check(labels, against: test, path: "\(directory)/labels.npy") }
    var files: [String: NumpyFile] = [:]
    var shape = expected
    for name in names {
      // They become keys of records.
      guard name.utf8.allSatisfy({ UInt8(ascii: "a")...UInt8(ascii: "z") ~= $0 || $0 == UInt8(ascii: "_") }) else {
        throw FileError(
          path: directory, reason: "\(quoted(name)).npy is no name of CIFAR-C, expected small letters and '_'")
      }
      let file = try Self.open("\(directory)/\(name).npy")
      guard file.type == .u1, file.shape.count == 4, file.shape[0] == labels.count, file.count > 0 else {
        throw FileError(
          path: file.path,
          reason:
            "holds \(file.type.rawValue) of shape \(file.shape), expected u1 of shape [\(labels.count), height, width, "
            + "channels], an image a label")
      }
      let found = ImageShape(channels: file.shape[3], height: file.shape[1], width: file.shape[2])
      guard shape == nil || shape == found else {
        throw FileError(path: file.path, reason: "images of \(found), expected \(shape!), as the data's")
      }
      shape = found
      files[name] = file
    }
    self.files = files
    self.shape = shape!
  }

  /// Tells two directories apart, roughly: names and counts.
  package var identity: String { "\(names.joined(separator: " ")) \(labels.count) \(shape)" }

  /// The images of one corruption at severity 1, 2, ... 5, the first `limit` where that is given; copied into memory.
  package func images(of name: String, severity: Int, limit: Int? = nil) -> Dataset {
    let images = labels.count / Self.severities
    let first = (severity - 1) * images
    let count = min(limit ?? images, images)
    let pixels = OwnedBytes(count: count * shape.count)
    let area = shape.height * shape.width
    let file = files[name]!
    file.withBytes { bytes in
      for image in 0..<count {
        let source = (first + image) * shape.count
        for channel in 0..<shape.channels {
          let target = image * shape.count + channel * area
          for position in 0..<area {
            pixels.storage[target + position] = bytes[source + position * shape.channels + channel]
          }
        }
      }
    }
    let samples = SampleFile(
      path: file.path, count: count, pixels: pixels, from: 0, pixelStride: shape.count,
      labels: OwnedBytes(Array(labels[first..<first + count])), from: 0)
    let dataset = Dataset(shape: shape, classes: classes, files: [samples])
    return kept.map(dataset.selecting(classes:)) ?? dataset
  }

  /// The labels of each severity must be the test set's: those of other data, or in another order, would only lower
  /// figures.
  private static func check(_ labels: [UInt8], against test: Dataset, path: String) throws(FileError) {
    let images = labels.count / severities
    guard labels.count != test.count else {
      throw FileError(
        path: path,
        reason: "holds \(counted(labels.count, "label")), as many as there are test images: one severity, expected all "
          + "\(severities), one after the other (\(severities * test.count))")
    }
    guard images == test.count else {
      throw FileError(
        path: path,
        reason:
          "holds \(counted(labels.count, "label")), \(images) a severity, but the test set has \(counted(test.count, "image")); expected "
          + "\(severities * test.count)")
    }
    for (index, label) in labels.enumerated() where Int(label) != test.trueLabel(index % images) {
      throw FileError(
        path: path,
        reason:
          "label \(index) (severity \(index / images + 1), image \(index % images)) is \(label), but the test set "
          + "has \(test.trueLabel(index % images)) (\(test.origin(of: index % images))): these files are of other data, or in "
          + "another order")
    }
  }

  /// What is there instead.
  private static func hint(_ directory: String, _ entries: [String]) -> String {
    if entries.isEmpty { return "; it is empty" }
    let folder = entries.prefix(200).first { FileManager.default.fileExists(atPath: "\(directory)/\($0)/labels.npy") }
    return folder.map { "; they are in \(directory)/\($0)" } ?? "; it holds \(listed(entries.map(quoted), most: 5))"
  }

  private static func labels(path: String, classes: Int) throws(FileError) -> [UInt8] {
    let file = try open(path)
    // Some write labels as a column.
    let isList = file.shape.count == 1 || file.shape.count == 2 && file.shape[1] == 1
    guard file.type.isInteger, isList, file.count > 0, file.count % severities == 0 else {
      throw FileError(
        path: path,
        reason:
          "holds \(file.type.rawValue) of shape \(file.shape), expected as many integers as images, a multiple of "
          + "\(severities)")
    }
    var labels: [UInt8] = []
    for index in 0..<file.count {
      let label = file.integer(index)
      guard 0..<min(classes, 256) ~= label else {
        throw FileError(path: path, reason: "label \(index) is \(label), expected 0 to \(classes - 1)")
      }
      labels.append(UInt8(label))
    }
    return labels
  }

  private static func open(_ path: String) throws(FileError) -> NumpyFile {
    do {
      return try NumpyFile(path: path)
    } catch {
      throw FileError(path: path, reason: error.reason + NumpyFile.hint(path))
    }
  }
}

extension Dataset {
  /// All images at `size` x `size`, where that is given.
  package func sized(to size: Int?) -> Dataset { size.map(resized) ?? self }
}
