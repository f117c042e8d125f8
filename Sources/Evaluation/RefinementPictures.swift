import Datasets
import Files
import Formats
import Images
import Kernels
import Planning
import Runtime

/// The folder of `icp perturb --pictures`: of each image x_0, x_T and their difference.
struct RefinementPictures {
  let path: String
  private let shape: ImageShape
  /// Three an image.
  private let files: [[OutputFile]]
  /// In each of our pictures (a text of PNG's keyword "Software"): one without it is somebody else's.
  private static let mark = "Software\0icp perturb"

  /// Makes the folder, and looks before any work is done. Throws where samples are no pictures, or a link or a
  /// file that is not ours is in the place of one.
  init(_ path: String, count: Int, shape: Shape) throws {
    self.path = path
    self.shape = ImageShape(shape)
    guard self.shape.isPicture else {
      throw UsageError(
        "--pictures: samples of \(counted(shape.channels, "channel")) are no pictures, which have 1 or 3")
    }
    try ShellPath.check(path, option: "--pictures")
    do throws(SystemError) { try System().makeDirectories(path) } catch { throw SaveError(error, option: "--pictures") }
    let digits = max(4, "\(count - 1)".count)
    files = try (0..<count).map { index in
      let number = "\(index)"
      let name = String(repeating: "0", count: digits - number.count) + number
      return try ["x0", "xT", "difference"].map {
        try OutputFile(
          "\(path)/\(name)-\($0).png", of: .png, option: "--pictures", keeping: [], isNamed: false, mark: Self.mark)
      }
    }
  }

  /// Of normalised images, channels last. Returns how many times as strong differences are shown as they are.
  func write(from start: [Float], to end: [Float], _ normalization: Normalization) throws -> Double {
    let gain = normalization.gain(for: [(end, start)], channels: shape.channels) ?? 1
    for (index, files) in files.enumerated() {
      let range = index * shape.count..<(index + 1) * shape.count
      let pictures = [
        normalization.picture(of: start[range], shape: shape), normalization.picture(of: end[range], shape: shape),
        normalization.picture(ofDifference: end[range], from: start[range], gain: gain, shape: shape),
      ]
      for (file, picture) in zip(files, pictures) {
        guard let bytes = picture?.encodedAsPNG() else {
          throw FileError(path: file.path, reason: "the picture does not fit into memory")
        }
        try file.write(Self.marked(bytes))
      }
    }
    return gain
  }

  /// Signature and header are a PNG file's first 33 bytes; after them a chunk has its length, kind, contents and
  /// checksum (PNG specification, 5.3).
  private static func marked(_ png: [UInt8]) -> [UInt8] {
    func bytes(_ number: Int) -> [UInt8] { withUnsafeBytes(of: UInt32(number).bigEndian) { Array($0) } }
    let chunk = Array("tEXt\(mark)".utf8)
    let checksum = chunk.withUnsafeBytes { Int(Checksum.crc32($0)) }
    return png[..<33] + bytes(chunk.count - 4) + chunk + bytes(checksum) + png[33...]
  }
}
