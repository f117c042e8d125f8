import Files
import Foundation
import Formats
import Pictures
import Runtime

/// The layout of MNIST and its kin (http://yann.lecun.com/exdb/mnist): big-endian; two zero bytes, the element type
/// (8: unsigned byte), the number of dimensions, each dimension as 32 bits, then the elements.
enum IDX {
  /// Pixels: products of two with a batch and a layer's channels stay within an Int.
  private static let sideLimit = 65536

  /// Loads the four MNIST-named files of a directory, each plain (it stays mapped) or, where there is no plain one,
  /// `.gz` (it is inflated). Labels of both sets decide the number of classes: the largest label + 1. Images in colour
  /// have four dimensions, the channels (3 or 1) last. Without any t10k file there is no test set.
  static func load(directory: String) throws(FileError) -> (training: Dataset, test: Dataset?) {
    let folder = try DataFolder(directory, for: .idx)
    let training = try samples(folder, "train")
    guard folder.names.contains(where: { $0.hasPrefix("t10k") }) else {
      return (Dataset(shape: training.shape, classes: training.largestLabel + 1, files: [training.file]), nil)
    }
    let test = try samples(folder, "t10k")
    guard training.shape == test.shape else {
      throw FileError(
        path: test.file.path,
        reason: "test images of \(test.shape), expected \(training.shape) as in training")
    }
    let classes = max(training.largestLabel, test.largestLabel) + 1
    return (
      Dataset(shape: training.shape, classes: classes, files: [training.file]),
      Dataset(shape: test.shape, classes: classes, files: [test.file])
    )
  }

  /// The test files alone; their labels decide the number of classes.
  static func loadTest(directory: String) throws(FileError) -> Dataset {
    let test = try samples(DataFolder(directory, for: .idx), "t10k")
    return Dataset(shape: test.shape, classes: test.largestLabel + 1, files: [test.file])
  }

  private static func samples(
    _ folder: DataFolder, _ name: String
  ) throws(FileError) -> (file: SampleFile, shape: ImageShape, largestLabel: Int) {
    let isColour = folder.names.contains { $0.hasPrefix("\(name)-images-idx4-ubyte") }
    let images = try File(
      "\(name)-images-idx\(isColour ? 4 : 3)-ubyte", in: folder, dimensions: isColour ? [4] : [3, 4])
    let labels = try File("\(name)-labels-idx1-ubyte", in: folder, dimensions: [1])
    let channels = images.sizes.count == 4 ? images.sizes[3] : 1
    guard channels == 1 || channels == 3 else {
      throw FileError(
        path: images.path,
        reason:
          "sizes \(images.sizes.map(String.init).joined(separator: " x ")), expected 3 channels or 1, the last size")
    }
    let shape = ImageShape(channels: channels, height: images.sizes[1], width: images.sizes[2])
    guard shape.count > 0 else {
      throw FileError(path: images.path, reason: "images of \(shape) hold no pixels")
    }
    guard images.sizes[0] == labels.sizes[0] else {
      throw FileError(
        path: labels.path,
        reason:
          "\(counted(labels.sizes[0], "label")), expected \(images.sizes[0]) as there are images in \(images.path)"
      )
    }
    guard max(shape.height, shape.width) <= sideLimit else {
      throw FileError(path: images.path, reason: "images of \(shape), expected at most \(sideLimit) pixels a side")
    }
    var file = SampleFile(
      path: labels.path, count: labels.sizes[0], pixels: images.contents, from: images.start,
      pixelStride: shape.count, labels: labels.contents, from: labels.start)
    file.areChannelsLast = channels > 1
    let largest = labels.contents.bytes[labels.start...].max() ?? 0
    return (file, shape, Int(largest))
  }

  /// One file: its sizes, and where its elements start. The length was checked to be exactly what the header says.
  private struct File {
    let path: String
    let sizes: [Int]
    let contents: any SampleBytes
    let start: Int

    init(_ name: String, in folder: DataFolder, dimensions: [Int]) throws(FileError) {
      let plain = "\(folder.path)/\(name)"
      // Not by the names alone: a link may lead nowhere.
      let isPlain = FileManager.default.fileExists(atPath: plain)
      let path = isPlain ? plain : plain + ".gz"
      guard isPlain || FileManager.default.fileExists(atPath: path) else {
        // As other hosts of these files write the names.
        let variant = folder.names.first { $0.replacing(".", with: "-").hasPrefix(name) }
        throw FileError(
          path: plain,
          reason: "no such file, neither plain nor as .gz"
            + (variant.map { "; there is \(quoted($0)): rename it" } ?? folder.hint(for: .idx)))
      }
      // Of the most dimensions.
      let longest = 4 + 4 * dimensions.max()!
      let sizes: [Int]
      let length: Int
      let contents: any SampleBytes
      if isPlain {
        let file = try MappedFile(path: path)
        (sizes, length) = try Self.header(Array(file.bytes.prefix(longest)), dimensions, path)
        contents = file
      } else {
        // The header first: its sizes are the budget of inflating the rest.
        let packed = FileSignature.head(of: path)
        guard packed.count < 2 || packed[0] == 0x1F else {
          let what =
            packed.starts(with: [0, 0, 8]) ? "; it is plain: rename it to \(name)" : FileSignature.hint(packed)
          throw FileError(path: path, reason: "is not gzip\(what)")
        }
        let head = try Gzip.prefix(contentsOf: path, count: longest)
        (sizes, length) = try Self.header(head, dimensions, path)
        try Self.checkBudget(length, packed: path)
        contents = OwnedBytes(try Gzip.decompress(contentsOf: path, limit: length))
      }
      guard contents.bytes.count == length else {
        throw FileError(
          path: path,
          reason: "\(counted(contents.bytes.count, "byte")), expected \(length) from the header's sizes "
            + sizes.map(String.init).joined(separator: " x "))
      }
      self.path = path
      self.sizes = sizes
      self.contents = contents
      start = 4 + 4 * sizes.count
    }

    /// What is there in the place of `dimensions`.
    private static func hint(_ bytes: [UInt8], _ dimensions: Int) -> String {
      if bytes.starts(with: [0x1F, 0x8B]) { return "; it is gzip: add .gz to its name, or unpack it (gunzip)" }
      let other = dimensions == 1 ? 3 : 1
      guard bytes.starts(with: [0, 0, 8, UInt8(other)]) else { return FileSignature.hint(bytes) }
      let (found, meant) = dimensions == 1 ? ("images", "labels") : ("labels", "images")
      return "; it holds \(found), where \(meant) are expected: are the two files swapped?"
    }

    /// Refuses what a packed file cannot hold, and what this machine cannot: it lies in memory twice for a moment.
    private static func checkBudget(_ length: Int, packed path: String) throws(FileError) {
      let size = try MappedFile(path: path).bytes.count
      guard length <= size * Gzip.largestRatio, length <= HostMemory.part(4) else {
        throw FileError(
          path: path,
          reason: "the header's sizes need \(length) bytes, which \(size) bytes of gzip cannot hold or this machine's "
            + "memory cannot")
      }
    }

    /// The sizes, and the length that the whole file must have.
    private static func header(
      _ bytes: [UInt8], _ allowed: [Int], _ path: String
    ) throws(FileError) -> (sizes: [Int], length: Int) {
      let own = bytes.count > 3 ? Int(bytes[3]) : 0
      let dimensions = allowed.contains(own) ? own : allowed[0]
      let count = 4 + 4 * dimensions
      guard bytes.count >= count else {
        throw FileError(path: path, reason: "\(counted(bytes.count, "byte")), expected a header of \(count) bytes")
      }
      guard bytes[0..<4] == [0, 0, 8, UInt8(dimensions)] else {
        throw FileError(
          path: path,
          reason: "starts with bytes \(bytes[0..<4].map(String.init).joined(separator: " ")), expected "
            + "0 0 8 \(dimensions) (unsigned bytes in \(counted(dimensions, "dimension")))"
            + hint(bytes, dimensions)
        )
      }
      let sizes = stride(from: 4, to: count, by: 4).map { at in
        bytes[at..<at + 4].reduce(0) { $0 << 8 | Int($1) }
      }
      var length = 1
      // From the last, so that an image's own size is checked even where there are 0 images.
      for size in sizes.reversed() {
        let (product, overflows) = length.multipliedReportingOverflow(by: size)
        guard !overflows, product < 1 << 48 else {
          throw FileError(
            path: path,
            reason: "the header's sizes \(sizes.map(String.init).joined(separator: " x ")) are impossible")
        }
        length = product
      }
      return (sizes, count + length)
    }
  }
}
