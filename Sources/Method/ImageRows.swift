import Kernels

/// A row of numbers for each training image, that a part of the method keeps from one epoch to the next: 4 bytes a
/// number, all 0 until the image was seen. Each image is seen once an epoch, by the rank of its shard; what that one
/// writes becomes the others' by `changes` and `take`, between steps, in rounds.
package final class ImageRows {
  /// In a checkpoint.
  package let name: String
  package let images, width: Int
  private let rows: Tensor
  /// Of the step under way: what is written if it is taken.
  private let staged: Tensor
  private let stagedImages: UnsafeMutablePointer<Int>
  private var stagedCount = 0
  private let capacity: Int
  /// Whether this rank has written an image's row since rows were last exchanged.
  private let isChanged: UnsafeMutablePointer<Bool>

  /// For steps in which this rank sees at most `capacity` images.
  package init(_ name: String, images: Int, width: Int, capacity: Int) {
    self.name = name
    self.images = images
    self.width = width
    self.capacity = capacity
    rows = Tensor(count: images * width)
    staged = Tensor(count: capacity * width)
    stagedImages = .allocate(capacity: capacity)
    stagedImages.initialize(repeating: 0, count: capacity)
    isChanged = .allocate(capacity: images)
    isChanged.initialize(repeating: false, count: images)
  }

  deinit {
    stagedImages.deallocate()
    isChanged.deallocate()
  }

  static func memory(images: Int, width: Int, capacity: Int) -> MemoryUse {
    MemoryUse(own: 4 * Double(width) * (Double(images) + Double(capacity)) + Double(images))
  }

  /// As the last taken step left it.
  func row(of image: Int) -> UnsafePointer<Float> { UnsafePointer(rows.pointer + image * width) }

  /// Where the row goes that `image` has once the step is taken.
  package func stage(_ image: Int) -> UnsafeMutablePointer<Float> {
    precondition(stagedCount < capacity, "more than \(capacity) images in a step")
    stagedImages[stagedCount] = image
    stagedCount += 1
    return staged.pointer + (stagedCount - 1) * width
  }

  /// A step begins: what another one that was refused has staged is forgotten.
  func begin() { stagedCount = 0 }

  /// The step was taken.
  package func commit() {
    for index in 0..<stagedCount {
      (rows.pointer + stagedImages[index] * width).update(from: staged.pointer + index * width, count: width)
      isChanged[stagedImages[index]] = true
    }
    stagedCount = 0
  }

  // MARK: Between steps

  package var values: UnsafeMutableBufferPointer<Float> { rows.values }

  /// Bytes that all ranks together hand in in one round: the rows of a large data set do not fit into memory twice.
  package static let mostInRound = 64 << 20

  /// Of an image in `changes`: its number and its row.
  private var changeBytes: Int { 8 + 4 * width }

  /// What this rank has written since the last exchange, in rounds of at most `most` bytes, but of one image at least:
  /// those from image `next` on, which moves past them. Empty where no more come.
  package func changes(from next: inout Int, most: Int) -> [UInt8] {
    let count = max(1, most / changeBytes)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(min(count, images - next) * changeBytes)
    while next < images, bytes.count < count * changeBytes {
      if isChanged[next] {
        withUnsafeBytes(of: Int64(next).littleEndian) { bytes.append(contentsOf: $0) }
        bytes.append(contentsOf: UnsafeRawBufferPointer(start: row(of: next), count: 4 * width))
      }
      next += 1
    }
    return bytes
  }

  /// Takes the `changes` of a rank.
  package func take(_ changes: [UInt8]) {
    changes.withUnsafeBytes { bytes in
      for start in stride(from: 0, to: bytes.count, by: changeBytes) {
        let image = Int(Int64(littleEndian: bytes.loadUnaligned(fromByteOffset: start, as: Int64.self)))
        UnsafeMutableRawPointer(rows.pointer + image * width)
          .copyMemory(from: bytes.baseAddress! + start + 8, byteCount: 4 * width)
      }
    }
  }

  /// All ranks have the same rows again.
  package func settle() { isChanged.update(repeating: false, count: images) }

  /// Begins anew, with the rows of a checkpoint or none.
  package func restart(from values: [Float]?) {
    stagedCount = 0
    settle()
    if let values { _ = rows.values.update(fromContentsOf: values) } else { rows.values.update(repeating: 0) }
  }
}
