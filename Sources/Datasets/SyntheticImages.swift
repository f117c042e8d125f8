import Files
import Foundation
import Kernels
import Pictures
import Runtime

extension DataSplits {
  /// Random pixels and labels of a shape, nil for that of a format's images, `data.size` counted in: what measures
  /// a step, and can teach nothing. The same bytes everywhere. `classes` is the model's number, nil for the format's
  /// own.
  /// Throws where `count` images do not fit into memory.
  package static func synthetic(
    like options: DataOptions, shape: ImageShape? = nil, count: Int, classes: Int? = nil
  ) throws(FileError) -> DataSplits {
    let shape = shape ?? options.format.usualShape(size: options.size)
    let native = options.format == .cifar100 ? 100 : 10
    // Half of the memory, as for images that are resized; a record is a label byte and the pixels.
    let room = HostMemory.part(2)
    guard count <= room / (1 + shape.count) else {
      throw FileError(path: "synthetic images", reason: "\(count) of \(shape) do not fit into memory")
    }
    let records = OwnedBytes(count: count * (1 + shape.count))
    var stream = RandomStream(seed: options.seed, purpose: .test)
    for offset in stride(from: 0, to: records.storage.count, by: 8) {
      var word = stream.next()
      withUnsafeBytes(of: &word) { word in
        let length = min(word.count, records.storage.count - offset)
        records.storage.baseAddress!.advanced(by: offset).copyMemory(from: word.baseAddress!, byteCount: length)
      }
    }
    // A label is a byte, so a model of more classes sees the first 255.
    let labels = UInt8(min(classes ?? native, 255))
    for record in 0..<count { records.storage[record * (1 + shape.count)] %= labels }
    let file = SampleFile(path: "synthetic images", records: records, labelBytes: 1, pixelBytes: shape.count)
    let images = Dataset(shape: shape, classes: classes ?? native, files: [file])
    return DataSplits(training: images, validation: nil, test: images, wholeTest: images)
  }
}

extension DataFormat {
  /// What images of the format measure; an IDX file can hold any size, and MNIST's is taken.
  fileprivate func usualShape(size: Int?) -> ImageShape {
    let native = usualShape
    return size.map { ImageShape(channels: native.channels, height: $0, width: $0) } ?? native
  }

  private var usualShape: ImageShape {
    switch self {
    case .cifar10, .cifar100: CIFAR.shape
    case .auto, .images, .npz, .npy: ImageShape(channels: 3, height: 64, width: 64)
    case .glyphs, .idx: ImageShape(channels: 1, height: Glyphs.side, width: Glyphs.side)
    }
  }
}
