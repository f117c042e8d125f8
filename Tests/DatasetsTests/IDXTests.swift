import Datasets
import Foundation
import Testing

@Suite struct IDXTests {
  private let folder: Folder
  private var options: DataOptions { DataOptions(format: .idx, path: folder.path) }
  private var files = idxFiles()

  init() throws { folder = try Folder() }

  /// The error after replacing one file.
  private func error(_ name: String, _ bytes: [UInt8], compressed: Bool = false) throws -> String {
    for (name, bytes) in files { try folder.write(name, bytes) }
    if compressed {
      try FileManager.default.removeItem(atPath: "\(folder.path)/\(name)")
      try folder.writeGzip(name + ".gz", bytes)
    } else {
      try folder.write(name, bytes)
    }
    let message = loadingError(options)
    let prefix = "\(folder.path)/\(name)\(compressed ? ".gz" : ""): "
    #expect(message.hasPrefix(prefix), "\(message)")
    return String(message.dropFirst(prefix.count))
  }

  @Test(arguments: [false, true])
  func `plain and gzip files give the same images and labels`(compressed: Bool) throws {
    for (name, bytes) in files {
      if compressed { try folder.writeGzip(name + ".gz", bytes) } else { try folder.write(name, bytes) }
    }
    let splits = try DataSplits.load(options)
    #expect(splits.training.shape == ImageShape(channels: 1, height: 4, width: 5))
    #expect(splits.training.labels == [0, 1, 2, 3, 0, 1])
    #expect(splits.training.classes == 4)
    #expect(splits.test!.count == 3)
    #expect(splits.test!.classes == 4)
    let images = try #require(files["train-images-idx3-ubyte"])
    #expect(splits.training.pixels(5) == Array(images[(16 + 5 * 20)...]))
    let name = "\(folder.path)/train-labels-idx1-ubyte\(compressed ? ".gz" : "")"
    #expect(splits.training.origin(of: 5) == "\(name), record 5")
  }

  @Test func `a missing file is named, with what was looked for`() throws {
    try folder.write("train-images-idx3-ubyte", files["train-images-idx3-ubyte"]!)
    #expect(
      loadingError(options)
        == "\(folder.path)/train-labels-idx1-ubyte: no such file, neither plain nor as .gz; it holds "
        + "'train-images-idx3-ubyte'")
    try folder.write("train-labels.idx1-ubyte", files["train-labels-idx1-ubyte"]!)
    #expect(loadingError(options).hasSuffix("as .gz; there is 'train-labels.idx1-ubyte': rename it"))
  }

  @Test func `a file of another kind, and a header cut short, are refused`() throws {
    #expect(
      try error("train-images-idx3-ubyte", idx([6], randomBytes(60), magic: [0, 0, 8, 1]))
        == "starts with bytes 0 0 8 1, expected 0 0 8 3 (unsigned bytes in 3 dimensions); it holds labels, where images are "
        + "expected: are the two files swapped?")
    #expect(
      try error("t10k-labels-idx1-ubyte", idx([3], [0, 1, 2], magic: [0, 0, 13, 1]))
        == "starts with bytes 0 0 13 1, expected 0 0 8 1 (unsigned bytes in 1 dimension)")
    #expect(
      try error("train-images-idx3-ubyte", [0x1F, 0x8B] + randomBytes(60))
        .hasSuffix("; it is gzip: add .gz to its name, or unpack it (gunzip)"))
    #expect(try error("train-labels-idx1-ubyte", [0, 0, 8]) == "3 bytes, expected a header of 8 bytes")
  }

  @Test func `a plain file that is called .gz is named for what it is`() throws {
    for (name, bytes) in files { try folder.write(name + ".gz", bytes) }
    #expect(
      loadingError(options) == "\(folder.path)/train-images-idx3-ubyte.gz: is not gzip; it is plain: rename it to "
        + "train-images-idx3-ubyte")
  }

  @Test(arguments: [false, true])
  func `a file shorter or longer than its header says is refused`(compressed: Bool) throws {
    let name = "train-images-idx3-ubyte"
    #expect(
      try error(name, idx([6, 4, 5], randomBytes(119)), compressed: compressed)
        == "135 bytes, expected 136 from the header's sizes 6 x 4 x 5")
    #expect(
      try error(name, idx([6, 4, 5], randomBytes(121)), compressed: compressed)
        == (compressed
          ? "inflates to more than the 136 bytes expected"
          : "137 bytes, expected 136 from the header's sizes 6 x 4 x 5"))
  }

  @Test func `sizes whose product overflows are refused before anything is allocated`() throws {
    let huge = 0xFFFF_FFFF
    let message = "the header's sizes 4294967295 x 4294967295 x 4294967295 are impossible"
    #expect(try error("train-images-idx3-ubyte", idx([huge, huge, huge], [])) == message)
    #expect(try error("t10k-images-idx3-ubyte", idx([0, huge, huge], [])).hasSuffix("are impossible"))
    #expect(
      try error("t10k-images-idx3-ubyte", idx([huge, 1000, 1], [])).hasPrefix(
        "16 bytes, expected 4294967295016"))
  }

  @Test func `images and labels must be equally many, and all images of one shape`() throws {
    #expect(
      try error("train-labels-idx1-ubyte", idx([5], [0, 1, 2, 3, 4]))
        == "5 labels, expected 6 as there are images in \(folder.path)/train-images-idx3-ubyte")
    #expect(try error("train-images-idx3-ubyte", idx([6, 0, 5], [])) == "images of 1x0x5 hold no pixels")
    for (name, bytes) in files { try folder.write(name, bytes) }
    try folder.write("t10k-images-idx3-ubyte", idx([3, 5, 4], randomBytes(60)))
    #expect(
      loadingError(options)
        == "\(folder.path)/t10k-labels-idx1-ubyte: test images of 1x5x4, expected 1x4x5 as in training")
  }

  @Test func `no change of a header byte is read past the file's end`() throws {
    for (name, bytes) in files { try folder.write(name, bytes) }
    for (name, bytes) in files {
      for at in 0..<(name.contains("images") ? 16 : 8) {
        for value: UInt8 in [0, 1, 2, 8, 127, 128, 255] where value != bytes[at] {
          var changed = bytes
          changed[at] = value
          try folder.write(name, changed)
          #expect(loadingError(options) != "no error", "\(name), byte \(at): \(value)")
        }
      }
      try folder.write(name, bytes)
    }
    #expect(loadingError(options) == "no error")
  }

  @Test func `a label the model has no class for is named`() throws {
    for (name, bytes) in files { try folder.write(name, bytes) }
    #expect(
      loadingError(options, classLimit: 3) == "\(folder.path)/train-labels-idx1-ubyte: record 3 (byte 11): "
        + "label 3, expected 0 to 2 (model.classes: 3)")
  }

  @Test(arguments: ["idx3", "idx4"])
  func `images in colour have their channels last`(name: String) throws {
    let folder = try Folder()
    let pixels = randomBytes(4 * 2 * 5 * 3, seed: 3)
    try folder.write("train-images-\(name)-ubyte", idx([4, 2, 5, 3], pixels))
    try folder.write("train-labels-idx1-ubyte", idx([4], [0, 1, 2, 1]))
    let splits = try DataSplits.load(DataOptions(format: .idx, path: folder.path))
    #expect(splits.training.shape == ImageShape(channels: 3, height: 2, width: 5) && splits.test == nil)
    for index in 0..<4 {
      let planes = (0..<30).map { pixels[index * 30 + $0 % 10 * 3 + $0 / 10] }
      #expect(splits.training.pixels(index) == planes)
    }
    try folder.write("train-images-\(name)-ubyte", idx([4, 2, 5, 2], randomBytes(80)))
    let message = loadingError(DataOptions(format: .idx, path: folder.path))
    #expect(message.hasSuffix("sizes 4 x 2 x 5 x 2, expected 3 channels or 1, the last size"))
  }
}
