import Foundation
import Kernels

/// What to load: the keys `data.*` of the configuration.
package struct DataOptions: Sendable {
  /// How many images of the (limited) training set are held out.
  package enum Validation: Equatable, Sendable {
    case none
    case count(Int)
    /// Of the (limited) training set, rounded down.
    case fraction(Double)
  }

  package var format: DataFormat
  /// The directory; glyphs need none.
  package var path: String?
  /// Images are resized to size x size; nil keeps their own size.
  package var size: Int?
  /// The first so many training images in file order; nil takes all.
  package var limit: Int?
  package var testLimit: Int?
  package var validation: Validation
  /// Which of them.
  package var validationSplit = ValidationSplit.stratified
  /// Draws the glyphs; other formats do not use it.
  package var seed: Int
  /// The classes that are kept, of all images of the run; they become 0, 1, ... in this order. nil keeps all.
  package var classes: [Int]?
  /// How many training images of each class are used; nil takes all.
  package var samplesPerClass: Int?
  /// Decides which.
  package var subsetSeed = 0
  /// Of the training labels alone.
  package var labelNoise = LabelNoise()

  package init(
    format: DataFormat = .glyphs, path: String? = nil, size: Int? = nil, limit: Int? = nil,
    testLimit: Int? = nil, validation: Validation = .none, seed: Int = 0
  ) {
    (self.format, self.path, self.size, self.limit) = (format, path, size, limit)
    (self.testLimit, self.validation, self.seed) = (testLimit, validation, seed)
  }
}

/// The images of a run: to train on, to choose by (where asked for), to report on.
package struct DataSplits: Sendable {
  package let training: Dataset
  package let validation: Dataset?
  package let test: Dataset
  /// The test images of the files, before limits, classes and size.
  package let wholeTest: Dataset

  init(training: Dataset, validation: Dataset?, test: Dataset, wholeTest: Dataset) {
    self.training = training
    self.validation = validation
    self.test = test
    self.wholeTest = wholeTest
  }

  /// Loads, limits, keeps classes, splits, takes the samples of each class, gives noisy labels, checks labels and resizes,
  /// in this order. Labels that the format forbids are refused in all of a file; those at or above `classLimit` (the
  /// model's classes) in what is used of it.
  package static func load(_ options: DataOptions, classLimit: Int? = nil) throws(DataError) -> DataSplits {
    let source = options.format == .glyphs ? "glyphs" : options.path ?? "data.path"
    let (allTraining, allTest) = try loadAll(options)
    let limited = try allTraining.first(options.limit, key: "data.limit", source: source)
      .keeping(options.classes, source: source)
    let test = try allTest.first(options.testLimit, key: "data.test_limit", source: source)
      .keeping(options.classes, source: source)

    let held = try heldOut(options.validation, of: limited.count, source: source)
    let parts = held > 0 ? limited.holdingOut(held, by: options.validationSplit) : nil
    let unheld = parts?.rest ?? limited
    let validation = parts?.held
    var training =
      try options.samplesPerClass.map { (count) throws(DataError) in
        try unheld.subset(perClass: count, seed: options.subsetSeed, source: source)
      } ?? unheld
    training = try options.labelNoise.apply(to: training, of: allTraining, format: options.format, source: source)
    guard training.count >= 2 else {
      throw DataError(
        path: source,
        reason: "\(training.count) training \(training.count == 1 ? "image" : "images")"
          + (held > 0 ? " after holding out \(held) for validation" : "")
          + ", expected at least 2 (batch statistics need more than one)")
    }
    guard test.count >= 1 else {
      throw DataError(path: source, reason: "0 test images, expected at least 1")
    }

    let splits = DataSplits(training: training, validation: validation, test: test, wholeTest: allTest)
    if let classLimit {
      for split in [training, validation, test].compactMap(\.self) {
        try split.checkLabels(below: classLimit, because: "model.classes: \(classLimit)")
      }
    }
    guard let size = options.size else { return splits }
    return try splits.resized(to: size, source: source)
  }

  /// The test images alone, limited, of the classes kept and resized as `load` gives them: no training file has to be there.
  package static func loadTest(_ options: DataOptions, classLimit: Int? = nil) throws(DataError) -> Dataset {
    let source = options.format == .glyphs ? "glyphs" : options.path ?? "data.path"
    let test = try loadWholeTest(options).first(options.testLimit, key: "data.test_limit", source: source)
      .keeping(options.classes, source: source)
    guard test.count >= 1 else {
      throw DataError(path: source, reason: "0 test images, expected at least 1")
    }
    if let classLimit { try test.checkLabels(below: classLimit, because: "model.classes: \(classLimit)") }
    guard let size = options.size, test.shape.height != size || test.shape.width != size else { return test }
    try checkRoom(for: test.count, channels: test.shape.channels, size: size, source: source)
    return test.resized(to: size)
  }

  /// The test images of the files, before limits, classes and size.
  package static func loadWholeTest(_ options: DataOptions) throws(DataError) -> Dataset {
    guard options.format != .glyphs else {
      try checkGlyphs([("data.test_limit", options.testLimit)])
      return Glyphs.draw(.test, count: max(0, options.testLimit ?? Glyphs.testCount), seed: options.seed)
    }
    let path = try directory(options)
    return options.format == .idx
      ? try IDX.loadTest(directory: path) : try CIFAR.loadTest(options.format, directory: path)
  }

  private static func checkGlyphs(_ counts: [(key: String, count: Int?)]) throws(DataError) {
    for (key, count) in counts {
      guard let count, count > Glyphs.largestCount else { continue }
      throw DataError(path: "glyphs", reason: "\(key): \(count), expected at most \(Glyphs.largestCount)")
    }
  }

  private static func directory(_ options: DataOptions) throws(DataError) -> String {
    guard let path = options.path else {
      throw DataError(
        path: "data.path", reason: "is not set, expected the directory of the \(options.format) files")
    }
    return path
  }

  private static func loadAll(_ options: DataOptions) throws(DataError) -> (Dataset, Dataset) {
    if options.format == .glyphs {
      try checkGlyphs([("data.limit", options.limit), ("data.test_limit", options.testLimit)])
      return (
        Glyphs.draw(.training, count: max(0, options.limit ?? Glyphs.trainingCount), seed: options.seed),
        Glyphs.draw(.test, count: max(0, options.testLimit ?? Glyphs.testCount), seed: options.seed)
      )
    }
    let path = try directory(options)
    return options.format == .idx
      ? try IDX.load(directory: path) : try CIFAR.load(options.format, directory: path)
  }

  /// How many of `count` images are held out.
  private static func heldOut(
    _ validation: DataOptions.Validation, of count: Int, source: String
  ) throws(DataError) -> Int {
    let held: Int
    switch validation {
    case .none: return 0
    case .count(let images): held = images
    case .fraction(let fraction): held = Int(fraction: fraction, of: count)
    }
    guard held > 0, held < count else {
      throw DataError(
        path: source,
        reason: "data.validation holds out \(held) of \(count) training images, expected 1 to \(count - 1)")
    }
    return held
  }

  private func resized(to size: Int, source: String) throws(DataError) -> DataSplits {
    try Self.checkRoom(
      for: training.count + (validation?.count ?? 0) + test.count, channels: training.shape.channels, size: size,
      source: source)
    return DataSplits(
      training: training.resized(to: size), validation: validation?.resized(to: size),
      test: test.resized(to: size), wholeTest: wholeTest)
  }

  private static func checkRoom(for images: Int, channels: Int, size: Int, source: String) throws(DataError) {
    // Half of the memory, for pixels alone; the division keeps the product from overflowing.
    let room = Int(ProcessInfo.processInfo.physicalMemory / 2)
    guard size > 0, size <= 1 << 16, images <= room / (size * size * channels) else {
      throw DataError(
        path: source, reason: "data.size: \(size) for \(images) images does not fit into memory")
    }
  }
}

extension Dataset {
  fileprivate func first(_ limit: Int?, key: String, source: String) throws(DataError) -> Dataset {
    guard let limit else { return self }
    guard limit >= 0, limit <= count else {
      throw DataError(path: source, reason: "\(key): \(limit), but there are \(count) images")
    }
    return slice(0..<limit)
  }

  fileprivate func keeping(_ kept: [Int]?, source: String) throws(DataError) -> Dataset {
    guard let kept else { return self }
    if let wrong = kept.first(where: { $0 >= classes }) {
      throw DataError(path: source, reason: "data.classes: there is no class \(wrong), expected 0 to \(classes - 1)")
    }
    return selecting(classes: kept)
  }
}
