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
/// mapped, and are not copied; a part of a data set shares its bytes.
package struct Dataset: Sendable {
  package private(set) var shape: ImageShape
  /// Labels are in 0..<classes.
  package private(set) var classes: Int
  private let files: [SampleFile]
  /// Each sample's number, counted over all files.
  private var records: SampleList
  /// Pixels in place of the files', image after image, and each sample's place there.
  private var replaced: (pixels: any SampleBytes, places: SampleList)?
  /// The class that each label of the files stands for; nil where it is the class.
  private var renumbering: [Int: Int]?
  /// The samples' labels where they may be wrong.
  private var given: [Int32]?

  init(shape: ImageShape, classes: Int, files: [SampleFile]) {
    (self.shape, self.classes, self.files) = (shape, classes, files)
    records = SampleList(0..<files.reduce(0) { $0 + $1.count })
  }

  package var count: Int { records.count }

  /// The samples of `range`, numbered from 0.
  package func slice(_ range: Range<Int>) -> Dataset {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "slice \(range) of \(count) samples")
    var part = self
    part.records = records.slice(range)
    part.replaced = replaced.map { ($0.pixels, $0.places.slice(range)) }
    part.given = given.map { Array($0[range]) }
    return part
  }

  /// Sample i is this data set's sample `indices[i]`.
  package func selecting(_ indices: [Int]) -> Dataset {
    precondition(indices.allSatisfy { $0 >= 0 && $0 < count }, "indices beyond \(count) samples")
    var part = self
    part.records = records.selecting(indices)
    part.replaced = replaced.map { ($0.pixels, $0.places.selecting(indices)) }
    part.given = given.map { given in indices.map { given[$0] } }
    return part
  }

  /// The samples whose label is one of `kept`, in their order; `kept[k]` becomes class k.
  func selecting(classes kept: [Int]) -> Dataset {
    let numbers = Dictionary(uniqueKeysWithValues: kept.enumerated().map { ($0.element, $0.offset) })
    precondition(given == nil && renumbering == nil, "classes are selected once, and before labels are given")
    var part = selecting((0..<count).filter { numbers[label($0)] != nil })
    (part.classes, part.renumbering) = (kept.count, numbers)
    return part
  }

  /// The same samples with these labels, one a sample, in 0..<classes; `trueLabel` keeps the old ones.
  func relabelled(_ labels: [Int32]) -> Dataset {
    precondition(
      labels.count == count && labels.allSatisfy { (0..<classes).contains(Int($0)) }, "\(labels.count) labels")
    var result = self
    result.given = labels
    return result
  }

  /// The same samples and labels with other pixels: `count` images of `shape`, one after the other.
  func replacingPixels(_ pixels: any SampleBytes, shape: ImageShape) -> Dataset {
    var result = self
    (result.shape, result.replaced) = (shape, (pixels, SampleList(0..<count)))
    return result
  }

  /// The label to train on.
  package func label(_ index: Int) -> Int { given.map { Int($0[index]) } ?? trueLabel(index) }

  /// The files' label, which noise does not touch.
  package func trueLabel(_ index: Int) -> Int {
    let (file, record) = locate(index)
    let label = Int(file.labels.bytes[file.labelStart + record * file.labelStride])
    return renumbering?[label] ?? label
  }

  /// How many labels differ from the true ones.
  package var wrongLabels: Int { given == nil ? 0 : (0..<count).count { label($0) != trueLabel($0) } }

  /// The sample's number over all files, from 0: the same in whatever part of a data set it is.
  package func position(of index: Int) -> Int { records[index] }

  /// Calls `body` with the sample's `shape.count` pixels, plane by plane; the pointer must not leave `body`.
  package func withPixels<Result>(
    of index: Int, _ body: (UnsafePointer<UInt8>) throws -> Result
  ) rethrows -> Result {
    let (file, record) = locate(index)
    let start = replaced.map { $0.places[index] * shape.count } ?? file.pixelStart + record * file.pixelStride
    let pixels = replaced?.pixels ?? file.pixels
    return try withExtendedLifetime(pixels) {
      try body((pixels.bytes.baseAddress! + start).assumingMemoryBound(to: UInt8.self))
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
      let place = label(index) == trueLabel(index) ? " (byte \(byte)): label" : ": by data.label_noise, label"
      throw DataError(
        path: file.path,
        reason: "record \(record)\(place) \(label(index)), expected 0 to \(limit - 1) (\(reason))")
    }
  }

  /// The file of a sample, and its number there. A data set has a handful of files, so they are searched in turn.
  private func locate(_ index: Int) -> (file: SampleFile, record: Int) {
    precondition(index >= 0 && index < count, "sample \(index) of \(count)")
    var record = records[index]
    for file in files {
      if record < file.count { return (file, record) }
      record -= file.count
    }
    preconditionFailure("a data set's count is the sum of its files'")
  }
}
