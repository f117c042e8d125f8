/// The size of one image.
package struct ImageShape: Hashable, Sendable, CustomStringConvertible {
  package let channels: Int
  package let height: Int
  package let width: Int

  package init(channels: Int, height: Int, width: Int) {
    (self.channels, self.height, self.width) = (channels, height, width)
  }

  /// Bytes, or elements, of one image.
  package var count: Int { channels * height * width }

  package var description: String { "\(channels)x\(height)x\(width)" }
}

/// Labelled images of one shape, in file order: 0..<count. Pixels are bytes, plane by plane (CHW). Plain files stay
/// mapped, and are not copied; a slice shares its data set's bytes.
package struct Dataset: Sendable {
  package let shape: ImageShape
  /// Labels are in 0..<classes.
  package let classes: Int
  package let count: Int
  /// Where sample 0 lies, counted over all files.
  private let start: Int
  private let files: [SampleFile]

  init(shape: ImageShape, classes: Int, files: [SampleFile]) {
    self.init(shape: shape, classes: classes, files: files, range: 0..<files.reduce(0) { $0 + $1.count })
  }

  private init(shape: ImageShape, classes: Int, files: [SampleFile], range: Range<Int>) {
    (self.shape, self.classes, self.files) = (shape, classes, files)
    (start, count) = (range.lowerBound, range.count)
  }

  /// The samples of `range`, numbered from 0.
  package func slice(_ range: Range<Int>) -> Dataset {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "slice \(range) of \(count) samples")
    return Dataset(
      shape: shape, classes: classes, files: files,
      range: start + range.lowerBound..<start + range.upperBound)
  }

  package func label(_ index: Int) -> Int {
    let (file, record) = locate(index)
    return Int(file.labels.bytes[file.labelStart + record * file.labelStride])
  }

  /// Calls `body` with the sample's `shape.count` pixels, plane by plane; the pointer must not leave `body`.
  package func withPixels<Result>(
    of index: Int, _ body: (UnsafePointer<UInt8>) throws -> Result
  ) rethrows -> Result {
    let (file, record) = locate(index)
    return try withExtendedLifetime(file.pixels) {
      let address = file.pixels.bytes.baseAddress! + (file.pixelStart + record * file.pixelStride)
      return try body(address.assumingMemoryBound(to: UInt8.self))
    }
  }

  /// Where the sample comes from, for messages: "FILE, record K", K from 0 in that file.
  package func origin(of index: Int) -> String {
    let (file, record) = locate(index)
    return "\(file.path), record \(record)"
  }

  /// Throws at the first label that is not in 0..<limit, naming file, record and byte.
  package func checkLabels(below limit: Int, because reason: String) throws(DataError) {
    for index in 0..<count where label(index) >= limit {
      let (file, record) = locate(index)
      let byte = file.labelStart + record * file.labelStride
      throw DataError(
        path: file.path,
        reason:
          "record \(record) (byte \(byte)): label \(label(index)), expected 0 to \(limit - 1) (\(reason))")
    }
  }

  /// The file of a sample, and its number there. A data set has a handful of files, so they are searched in turn.
  private func locate(_ index: Int) -> (file: SampleFile, record: Int) {
    precondition(index >= 0 && index < count, "sample \(index) of \(count)")
    var record = start + index
    for file in files {
      if record < file.count { return (file, record) }
      record -= file.count
    }
    preconditionFailure("a data set's count is the sum of its files'")
  }
}

extension Dataset {
  /// The same samples and labels with other pixels: `count` images of `shape`, one after the other.
  func replacingPixels(_ pixels: any SampleBytes, shape: ImageShape) -> Dataset {
    var first = 0
    let files = files.map { file in
      defer { first += file.count }
      // Negative where samples of the file come before the slice; those are never asked for.
      let pixelStart = (first - start) * shape.count
      return SampleFile(
        path: file.path, count: file.count, pixels: pixels, from: pixelStart, pixelStride: shape.count,
        labels: file.labels, from: file.labelStart, labelStride: file.labelStride)
    }
    return Dataset(shape: shape, classes: classes, files: files, range: start..<start + count)
  }
}
