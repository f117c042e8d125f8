import Datasets
import Foundation
import Kernels

/// A directory of one test, removed with the object.
final class Folder {
  let path = NSTemporaryDirectory() + "icp-datasets-" + UUID().uuidString

  init() throws {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  @discardableResult
  func write(_ name: String, _ bytes: [UInt8]) throws -> String {
    let file = "\(path)/\(name)"
    try Data(bytes).write(to: URL(fileURLWithPath: file))
    return file
  }

  /// Writes `bytes` as the gzip program packs them.
  @discardableResult
  func writeGzip(_ name: String, _ bytes: [UInt8]) throws -> String {
    let plain = try write("plain-" + name, bytes)
    let file = "\(path)/\(name)"
    let gzip = Process()
    gzip.executableURL = URL(fileURLWithPath: "/bin/sh")
    gzip.arguments = ["-c", "gzip -c \"$0\" > \"$1\"", plain, file]
    try gzip.run()
    gzip.waitUntilExit()
    try FileManager.default.removeItem(atPath: plain)
    return file
  }
}

/// Bytes that a test can predict nothing of by accident.
func randomBytes(_ count: Int, seed: Int = 0) -> [UInt8] {
  var stream = RandomStream(seed: seed, purpose: .test)
  return (0..<count).map { _ in UInt8(truncatingIfNeeded: stream.next()) }
}

/// `count` records of CIFAR's layout: label k mod 10 (CIFAR-100: coarse 3, fine k mod 100) and random pixels.
func cifarRecords(_ count: Int, hundred: Bool = false, seed: Int = 0) -> [UInt8] {
  let pixels = randomBytes(count * 3072, seed: seed)
  var records: [UInt8] = []
  for k in 0..<count {
    records += hundred ? [3, UInt8(k % 100)] : [UInt8(k % 10)]
    records += pixels[(k * 3072)..<((k + 1) * 3072)]
  }
  return records
}

func idx(_ sizes: [Int], _ elements: [UInt8], magic: [UInt8]? = nil) -> [UInt8] {
  var file: [UInt8] = magic ?? [0, 0, 8, UInt8(sizes.count)]
  for size in sizes {
    for shift in [24, 16, 8, 0] { file.append(UInt8(truncatingIfNeeded: size >> shift)) }
  }
  return file + elements
}

/// The four files of a small MNIST-like set, as dictionary of names.
func idxFiles(training: Int = 6, test: Int = 3, height: Int = 4, width: Int = 5) -> [String: [UInt8]] {
  [
    "train-images-idx3-ubyte": idx(
      [training, height, width], randomBytes(training * height * width, seed: 1)),
    "train-labels-idx1-ubyte": idx([training], (0..<training).map { UInt8($0 % 4) }),
    "t10k-images-idx3-ubyte": idx([test, height, width], randomBytes(test * height * width, seed: 2)),
    "t10k-labels-idx1-ubyte": idx([test], (0..<test).map { UInt8($0 % 4) }),
  ]
}

/// The message of the error that loading throws, or that there was none.
func loadingError(_ options: DataOptions, classLimit: Int? = nil) -> String {
  do {
    _ = try DataSplits.load(options, classLimit: classLimit)
    return "no error"
  } catch {
    return error.description
  }
}

extension Dataset {
  func pixels(_ index: Int) -> [UInt8] {
    try! withPixels(of: index) { Array(UnsafeBufferPointer(start: $0, count: shape.count)) }
  }

  var labels: [Int] { (0..<count).map(label) }
}

/// A data set of random images, from a CIFAR-10 file that is removed once it is mapped.
func randomImages(_ count: Int) throws -> Dataset {
  let folder = try Folder()
  try folder.write("train.bin", cifarRecords(count))
  try folder.write("test.bin", cifarRecords(1))
  return try DataSplits.load(DataOptions(format: .cifar10, path: folder.path)).training
}
