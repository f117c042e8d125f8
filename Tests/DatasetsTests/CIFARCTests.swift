import Datasets
import Testing

@Suite struct CIFARCTests {
  /// The bytes of a .npy file, version 1.
  private func numpy(_ type: String, _ shape: [Int], _ elements: [UInt8]) -> [UInt8] {
    let sizes = shape.map { "\($0)," }.joined(separator: " ")
    var header = Array("{'descr': '\(type)', 'fortran_order': False, 'shape': (\(sizes)), }".utf8)
    while (10 + header.count + 1) % 64 != 0 { header.append(UInt8(ascii: " ")) }
    header.append(UInt8(ascii: "\n"))
    return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.count), 0] + header + elements
  }

  /// Three images of 2x4 at five severities; byte k of the file is k mod 251.
  private func folder(labels: [UInt8] = Array((0..<15).map { UInt8($0 % 3) })) throws -> Folder {
    let folder = try Folder()
    let bytes = (0..<15 * 24).map { UInt8($0 % 251) }
    try folder.write("fog.npy", numpy("|u1", [15, 2, 4, 3], bytes))
    try folder.write("gaussian_noise.npy", numpy("|u1", [15, 2, 4, 3], bytes.reversed()))
    try folder.write("labels.npy", numpy("|u1", [labels.count], labels))
    return folder
  }

  @Test func `labels may stand in a column`() throws {
    let folder = try folder()
    try folder.write("labels.npy", numpy("|u1", [15, 1], Array((0..<15).map { UInt8($0 % 3) })))
    #expect(error(folder, test: try test([0, 1, 2])) == "no error")
    try folder.write("labels.npy", numpy("|u1", [5, 3], Array((0..<15).map { UInt8($0 % 3) })))
    #expect(error(folder).contains("labels.npy: holds u1 of shape [5, 3], expected as many integers as images"))
  }

  private func error(_ folder: Folder, shape: ImageShape? = nil, classes: Int = 3, test: Dataset? = nil) -> String {
    do {
      _ = try CIFARC(directory: folder.path, shape: shape, classes: classes, test: test)
      return "no error"
    } catch { return error.description }
  }

  @Test(arguments: Corruption.severities)
  func `a severity is a block of images, whose channels come last in the file`(severity: Int) throws {
    let folder = try folder()
    let shape = ImageShape(channels: 3, height: 2, width: 4)
    let files = try CIFARC(directory: folder.path, shape: shape, classes: 3)
    #expect(files.names == ["fog", "gaussian_noise"])
    let images = files.images(of: "fog", severity: severity)
    #expect(images.count == 3 && images.shape == shape && images.classes == 3)
    #expect(images.labels == [0, 1, 2])
    for image in 0..<3 {
      let pixels = images.pixels(image)
      for (channel, row, column) in [(0, 0, 0), (2, 0, 3), (1, 1, 2)] {
        let byte = ((((severity - 1) * 3 + image) * 2 + row) * 4 + column) * 3 + channel
        #expect(pixels[(channel * 2 + row) * 4 + column] == UInt8(byte % 251))
      }
    }
    let first = files.images(of: "fog", severity: severity, limit: 2)
    #expect(first.count == 2 && first.pixels(1) == images.pixels(1))
    #expect(files.images(of: "fog", severity: severity, limit: 9).count == 3)
    let kept = try CIFARC(directory: folder.path, shape: shape, classes: 2, kept: [2, 0])
      .images(of: "fog", severity: severity)
    #expect(kept.labels == [1, 0] && kept.classes == 2 && kept.pixels(1) == images.pixels(2))
    #expect(images.sized(to: 8).shape == ImageShape(channels: 3, height: 8, width: 8))
  }

  /// A test set of images with these labels; its files are removed once they are mapped.
  private func test(_ labels: [UInt8]) throws -> Dataset {
    let folder = try Folder()
    for (name, bytes) in idxFiles() { try folder.write(name, bytes) }
    try folder.write("t10k-images-idx3-ubyte", idx([labels.count, 4, 5], randomBytes(labels.count * 20)))
    try folder.write("t10k-labels-idx1-ubyte", idx([labels.count], labels))
    return try DataSplits.load(DataOptions(format: .idx, path: folder.path)).wholeTest!
  }

  @Test func `labels must be the test set's, at each severity`() throws {
    #expect(error(try folder(), test: try test([0, 1, 2])) == "no error")
    #expect(
      error(try folder(), test: try test([0, 2, 1]))
        .contains("labels.npy: label 1 (severity 1, image 1) is 1, but the test set has 2 ("))
    let late = Array((0..<14).map { UInt8($0 % 3) }) + [0]
    #expect(error(try folder(labels: late), test: try test([0, 1, 2])).contains("label 14 (severity 5, image 2) is 0"))
    #expect(
      error(try folder(), test: try test((0..<15).map { UInt8($0 % 3) }))
        .hasSuffix(
          "holds 15 labels, as many as there are test images: one severity, expected all 5, one after the other (75)"))
    #expect(
      error(try folder(), test: try test([0, 1, 2, 0, 1, 2]))
        .hasSuffix("holds 15 labels, 3 a severity, but the test set has 6 images; expected 30"))
  }

  @Test func `files that are not CIFAR-C's are refused by name`() throws {
    #expect(error(try folder()) == "no error")
    #expect(
      error(try folder(), shape: ImageShape(channels: 3, height: 32, width: 32))
        .hasSuffix("fog.npy: images of 3x2x4, expected 3x32x32, as the data's"))
    #expect(error(try folder(), classes: 2).hasSuffix("labels.npy: label 2 is 2, expected 0 to 1"))
    #expect(error(try folder(labels: [0, 1, 2])).contains("labels.npy: holds u1 of shape [3], expected as many"))
    #expect(
      error(try folder(labels: [0, 1, 2, 0, 1])).contains(
        "fog.npy: holds u1 of shape [15, 2, 4, 3], expected u1 of shape [5, height, width, channels]"))
    let odd = try folder()
    try odd.write("frost.npy", numpy("<f4", [15], [UInt8](repeating: 0, count: 60)))
    #expect(error(odd).contains("frost.npy: holds f4 of shape [15], expected u1 of shape [15, height"))
    let named = try folder()
    try named.write("Fog \"2\".npy", [])
    #expect(error(named).contains("is no name of CIFAR-C"))
    let empty = try Folder()
    #expect(error(empty).contains("holds no NAME.npy") && error(empty).hasSuffix("; it is empty"))
    try empty.write("fog.npy", [1, 2])
    #expect(error(empty).contains("labels.npy: no such file"))
    try empty.write("labels.npy", numpy("|u1", [5], [0, 0, 0, 0, 0]))
    #expect(error(empty).contains("fog.npy: does not start as a .npy file"))
  }
}
