import Files
import Formats
import Foundation

/// Bytes that samples lie in, wherever they are: a mapped file, or memory of the program. Read-only once shared.
protocol SampleBytes: AnyObject, Sendable {
  var bytes: UnsafeRawBufferPointer { get }
}

extension MappedFile: SampleBytes {}

/// Bytes in memory, such as an inflated file or drawn images.
final class OwnedBytes: SampleBytes, @unchecked Sendable {
  let storage: UnsafeMutableRawBufferPointer

  /// Zeros, to be written before the object is shared.
  init(count: Int) {
    storage = .allocate(byteCount: count, alignment: 64)
    storage.initializeMemory(as: UInt8.self, repeating: 0)
  }

  convenience init(_ contents: [UInt8]) {
    self.init(count: contents.count)
    storage.copyBytes(from: contents)
  }

  deinit { storage.deallocate() }

  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(storage) }
}

/// Samples at equal distances in one file: sample k's pixels start at byte `pixelStart + k * pixelStride` of `pixels`,
/// its label is byte `labelStart + k * labelStride` of `labels`. The ranges were checked when it was made.
struct SampleFile: Sendable {
  let path: String
  let count: Int
  let pixels: any SampleBytes
  let pixelStart: Int
  let pixelStride: Int
  let labels: any SampleBytes
  let labelStart: Int
  let labelStride: Int
  /// The labels, where they are not bytes of a file.
  var numbers: [Int32]?
  /// Whether an image's channels lie beside each other, not plane by plane.
  var areChannelsLast = false

  /// Records of `labelBytes` label bytes, of which the last counts, and then the pixels.
  init(path: String, records: any SampleBytes, labelBytes: Int, pixelBytes: Int) {
    let record = labelBytes + pixelBytes
    self.path = path
    count = records.bytes.count / record
    pixels = records
    pixelStart = labelBytes
    pixelStride = record
    labels = records
    labelStart = labelBytes - 1
    labelStride = record
  }

  /// Whether both are the same bytes: quick where they differ.
  func hasPixels(of other: SampleFile) -> Bool {
    let (mine, theirs) = (pixels.bytes, other.pixels.bytes)
    guard mine.count == theirs.count, let first = mine.baseAddress, let second = theirs.baseAddress else {
      return false
    }
    return memcmp(first, second, mine.count) == 0
  }

  /// Pixels of one block and labels of another; `path` is where the labels come from.
  init(
    path: String, count: Int, pixels: any SampleBytes, from pixelStart: Int, pixelStride: Int,
    labels: any SampleBytes, from labelStart: Int, labelStride: Int = 1
  ) {
    self.path = path
    self.count = count
    self.pixels = pixels
    self.pixelStart = pixelStart
    self.pixelStride = pixelStride
    self.labels = labels
    self.labelStart = labelStart
    self.labelStride = labelStride
  }

  /// Pixels of one block, and labels as numbers.
  init(
    path: String, count: Int, pixels: any SampleBytes, from pixelStart: Int, pixelStride: Int, numbers: [Int32],
    areChannelsLast: Bool
  ) {
    self.init(
      path: path, count: count, pixels: pixels, from: pixelStart, pixelStride: pixelStride, labels: pixels, from: 0)
    self.numbers = numbers
    self.areChannelsLast = areChannelsLast
  }
}
