import Files
import Runtime
import Formats
import Images
import Pictures

/// Labelled images of one shape, in file order: 0..<count. Pixels are bytes, plane by plane (CHW). Plain files stay
/// mapped, and are not copied; pictures are decoded when they are asked for; a part of a data set shares its bytes.
package struct Dataset: Sendable {
  package private(set) var shape: ImageShape
  /// Labels are in 0..<classes.
  package private(set) var classes: Int
  private let files: [SampleFile]
  /// Pictures in place of files, and the number of the first one in their set.
  private var pictures: (set: PictureSet, first: Int)?
  /// In the order of the labels; nil where classes have numbers alone.
  package private(set) var classNames: [String]?
  /// Each sample's number, counted over all files.
  private var records: SampleList
  /// Pixels in place of the files', image after image, and each sample's place there.
  private var replaced: (pixels: any SampleBytes, places: SampleList)?
  /// The class that each label of the files stands for; nil where it is the class.
  private var renumbering: [Int: Int]?
  /// The samples' labels where they may be wrong.
  private var given: [Int32]?

  init(shape: ImageShape, classes: Int, files: [SampleFile]) {
    self.shape = shape
    self.classes = classes
    self.files = files
    records = SampleList(0..<files.reduce(0) { $0 + $1.count })
  }

  /// The pictures of `part` of a set.
  init(pictures: PictureSet, part: Range<Int>) {
    let head = pictures.index.head
    self.init(shape: pictures.view.shape, classes: head.classes, files: [])
    self.pictures = (pictures, part.lowerBound)
    records = SampleList(0..<part.count)
    classNames = head.classNames.isEmpty ? nil : head.classNames
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
    precondition(given == nil, "classes are selected before labels are given")
    var part = selecting((0..<count).filter { numbers[label($0)] != nil })
    part.classes = kept.count
    // Of what the files' labels stand for already.
    part.renumbering = renumbering?.compactMapValues { numbers[$0] } ?? numbers
    part.classNames = classNames.map { names in kept.map { names[$0] } }
    return part
  }

  /// The same samples, whose classes have these names, in their order.
  func named(_ names: [String]?) -> Dataset {
    precondition(names.map { $0.count == classes } ?? true, "a name for each of \(classes) classes")
    var result = self
    result.classNames = names
    return result
  }

  /// The same samples with the classes of `other`, by their names where both have names.
  func numbered(as other: Dataset, source: String) throws(FileError) -> Dataset {
    var result = self
    if let names = classNames, let others = other.classNames, names != others {
      let numbers = Dictionary(uniqueKeysWithValues: others.enumerated().map { ($0.element, $0.offset) })
      if let unknown = names.first(where: { numbers[$0] == nil }) {
        throw FileError(
          path: source,
          reason:
            "class \(quoted(unknown)) is none of the training images, which are \(listed(others.map(quoted), most: 5))")
      }
      result.renumbering = Dictionary(
        uniqueKeysWithValues: names.enumerated().map { ($0.offset, numbers[$0.element]!) })
      result.classNames = others
    }
    result.classes = other.classes
    try result.checkLabels(below: other.classes, because: "the training images' classes")
    return result
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
    result.shape = shape
    result.replaced = (pixels, SampleList(0..<count))
    return result
  }

  /// The label to train on.
  package func label(_ index: Int) -> Int { given.map { Int($0[index]) } ?? trueLabel(index) }

  /// The files' label, which noise does not touch.
  package func trueLabel(_ index: Int) -> Int {
    let label = fileLabel(index)
    return renumbering?[label] ?? label
  }

  private func fileLabel(_ index: Int) -> Int {
    if let pictures { return Int(pictures.set.index.entries[pictures.first + records[index]].label) }
    let (file, record) = locate(index)
    return file.numbers.map { Int($0[record]) } ?? Int(file.labels.bytes[file.labelStart + record * file.labelStride])
  }

  /// How many labels differ from the true ones.
  package var wrongLabels: Int { given == nil ? 0 : (0..<count).count { label($0) != trueLabel($0) } }

  /// The sample's number over all files, from 0: the same in whatever part of a data set it is.
  package func position(of index: Int) -> Int { records[index] }

  /// Calls `body` with the sample's `shape.count` pixels, plane by plane; the pointer must not leave `body`. Throws
  /// where a picture's file is not what it was.
  package func withPixels<Result>(
    of index: Int, _ body: (UnsafePointer<UInt8>) -> Result
  ) throws(FileError) -> Result {
    guard isDecoded else { return withPixelsInMemory(of: index, body) }
    return try picture(of: index, whole: false).withPlanes(body)
  }

  /// The same of a data set that is not decoded.
  func withPixelsInMemory<Result>(of index: Int, _ body: (UnsafePointer<UInt8>) -> Result) -> Result {
    precondition(!isDecoded, "pictures are not in memory")
    guard hasChannelsLast(index) else { return withStored(index, body) }
    return storedPicture(index).withPlanes(body)
  }

  /// The sample as a picture: of the data set's shape, or of its own size where a transform cuts its part out of it.
  func picture(of index: Int, whole: Bool) throws(FileError) -> Picture {
    guard isDecoded, let pictures else {
      return hasChannelsLast(index) ? storedPicture(index) : withStored(index) { Picture(planes: $0, shape: shape) }
    }
    let number = pictures.first + records[index]
    return whole ? try pictures.set.whole(number) : try pictures.set.viewed(number)
  }

  /// Whether samples are decoded when they are asked for, which takes time and is shared by threads.
  package var isDecoded: Bool { pictures != nil }

  /// How many threads decode; 1 where nothing is decoded.
  var decoderThreads: Int { pictures?.set.threads ?? 1 }

  /// Tells two sets of pictures apart by their files; nil of other data.
  package var pictureIdentity: UInt32? { pictureIndex?.identity }
  /// Pictures that were left out since they cannot be read, and one of them with its reason.
  package var skippedPictures: Int { pictureIndex?.skipped ?? 0 }
  package var skippedExample: String { pictureIndex?.head.skippedNames.first ?? "" }

  /// By their place, for another data set of the same pictures.
  package var pictureIndexes: [String: PictureIndex] { pictureIndex.map { [$0.head.path: $0] } ?? [:] }
  var pictureView: PictureView? { pictures?.set.view }

  /// Of pictures, where they lie and what they are.
  package var pictureIndex: PictureIndex? { pictures?.set.index }

  private func hasChannelsLast(_ index: Int) -> Bool {
    replaced == nil && shape.channels > 1 && locate(index).file.areChannelsLast
  }

  /// Channels beside each other, as they are stored.
  private func storedPicture(_ index: Int) -> Picture {
    withStored(index) { pixels in
      Picture(
        width: shape.width, height: shape.height, channels: shape.channels,
        pixels: Array(UnsafeBufferPointer(start: pixels, count: shape.count)))
    }
  }

  private func withStored<Result>(_ index: Int, _ body: (UnsafePointer<UInt8>) -> Result) -> Result {
    let start: Int
    let pixels: any SampleBytes
    if let replaced {
      start = replaced.places[index] * shape.count
      pixels = replaced.pixels
    } else {
      let (file, record) = locate(index)
      start = file.pixelStart + record * file.pixelStride
      pixels = file.pixels
    }
    return withExtendedLifetime(pixels) {
      body((pixels.bytes.baseAddress! + start).assumingMemoryBound(to: UInt8.self))
    }
  }

  /// Where the sample comes from, for messages: "FILE, record K", K from 0 in that file.
  package func origin(of index: Int) -> String {
    if let pictures { return pictures.set.origin(pictures.first + records[index]) }
    let (file, record) = locate(index)
    return "\(file.path), record \(record)"
  }

  /// Throws at the first label that is not in 0..<limit, naming file, record and byte.
  package func checkLabels(below limit: Int, because reason: String) throws(FileError) {
    for index in 0..<count where label(index) >= limit {
      guard pictures == nil, locate(index).file.numbers == nil else {
        throw FileError(
          path: origin(of: index), reason: "label \(label(index)), expected 0 to \(limit - 1) (\(reason))")
      }
      let (file, record) = locate(index)
      let byte = file.labelStart + record * file.labelStride
      let place = label(index) == trueLabel(index) ? " (byte \(byte)): label" : ": by data.label_noise, label"
      throw FileError(
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
