import Files
import Foundation
import Kernels
import Pictures
import Runtime

/// The images of a run: to train on, to choose by (where asked for), to report on.
package struct DataSplits: Sendable {
  package let training: Dataset
  package let validation: Dataset?
  /// nil where the data has none.
  package let test: Dataset?
  /// The test images of the files, before limits, classes and size.
  package let wholeTest: Dataset?

  init(training: Dataset, validation: Dataset?, test: Dataset?, wholeTest: Dataset?) {
    self.training = training
    self.validation = validation
    self.test = test
    self.wholeTest = wholeTest
  }

  /// The test images, where what is asked for cannot do without.
  package var testImages: Dataset {
    get throws(FileError) {
      guard let test else { throw Self.noTest("data.path") }
      return test
    }
  }

  /// Loads, limits, keeps classes, splits, takes the samples of each class, gives noisy labels, checks labels and
  /// resizes, in this order. Labels that the format forbids are refused in all of a file; those at or above
  /// `classLimit` (the model's classes) in what is used of it.
  package static func load(_ options: DataOptions, classLimit: Int? = nil) throws(FileError) -> DataSplits {
    let source = options.format == .glyphs ? "glyphs" : options.path ?? "data.path"
    let all = try loadAll(options)
    let limited = try all.training.first(options.limit, key: "data.limit", source: source)
      .keeping(options.classes, source: source)
    let test = try all.test?.first(options.testLimit, key: "data.test_limit", source: source)
      .keeping(options.classes, source: source)
    let ownValidation = try all.validation?.keeping(options.classes, source: source)
    guard ownValidation == nil || options.validation == .none else {
      throw FileError(
        path: source,
        reason: "has \(counted(ownValidation!.count, "image")) for validation of its own: leave out data.validation")
    }

    let held = try heldOut(options.validation, of: limited.count, source: source)
    let parts = held > 0 ? limited.holdingOut(held, by: options.validationSplit) : nil
    let unheld = parts?.rest ?? limited
    let validation = parts?.held ?? ownValidation
    var training =
      try options.samplesPerClass.map { (count) throws(FileError) in
        try unheld.subset(perClass: count, seed: options.subsetSeed, source: source)
      } ?? unheld
    training = try options.labelNoise.apply(to: training, of: all.training, format: options.format, source: source)
    guard training.count >= 2 else {
      throw FileError(
        path: source,
        reason: "\(counted(training.count, "training image"))"
          + (held > 0 ? " after holding out \(held) for validation" : "")
          + ", expected at least 2 (batch statistics need more than one)")
    }
    guard test.map({ $0.count >= 1 }) ?? true else {
      throw FileError(path: source, reason: "0 test images, expected at least 1")
    }

    let splits = DataSplits(training: training, validation: validation, test: test, wholeTest: all.test)
    if let classLimit {
      for split in [training, validation, test].compactMap(\.self) {
        try split.checkLabels(below: classLimit, because: "model.classes: \(classLimit)")
      }
    }
    guard let size = options.size, !training.isDecoded else { return splits }
    return try splits.resized(to: size, source: source)
  }

  /// The test images alone, limited, of the classes kept and resized as `load` gives them: no training file has to be
  /// there.
  package static func loadTest(_ options: DataOptions, classLimit: Int? = nil) throws(FileError) -> Dataset {
    let source = options.format == .glyphs ? "glyphs" : options.path ?? "data.path"
    let test = try loadWholeTest(options).first(options.testLimit, key: "data.test_limit", source: source)
      .keeping(options.classes, source: source)
    guard test.count >= 1 else {
      throw FileError(path: source, reason: "0 test images, expected at least 1")
    }
    if let classLimit { try test.checkLabels(below: classLimit, because: "model.classes: \(classLimit)") }
    guard let size = options.size, !test.isDecoded, test.shape.height != size || test.shape.width != size else {
      return test
    }
    try checkRoom(for: test.count, channels: test.shape.channels, size: size, source: source)
    return test.resized(to: size)
  }

  /// The test images of the files, before limits, classes and size.
  package static func loadWholeTest(_ options: DataOptions) throws(FileError) -> Dataset {
    guard options.format != .glyphs else {
      try checkGlyphs([("data.test_limit", options.testLimit)])
      return Glyphs.draw(.test, count: max(0, options.testLimit ?? Glyphs.testCount), seed: options.seed)
    }
    let path = try directory(options)
    // Where they come from another place or out of the training images, these are needed too.
    let test =
      options.testPath == nil && options.testFraction == nil
      ? try source(options, at: path).loadTest(path, options) : try loadAll(options).test
    guard let test else { throw noTest(path) }
    return test
  }

  private static func checkGlyphs(_ counts: [(key: String, count: Int?)]) throws(FileError) {
    for (key, count) in counts {
      guard let count, count > Glyphs.largestCount else { continue }
      throw FileError(path: "glyphs", reason: "\(key): \(count), expected at most \(Glyphs.largestCount)")
    }
  }

  private static func noTest(_ path: String) -> FileError {
    FileError(
      path: path,
      reason: "holds no test images, which are measured here: set data.test_path, or data.test to hold some out")
  }

  private static func source(_ options: DataOptions, at path: String) throws(FileError) -> any DataSource.Type {
    let format = options.format == .auto ? try DataFormat.recognised(at: path).format : options.format
    return DataSources.of(format)!
  }

  private static func directory(_ options: DataOptions) throws(FileError) -> String {
    guard let path = options.path else {
      throw FileError(
        path: "data.path", reason: "is not set, expected the directory of the \(options.format) files")
    }
    return path
  }

  private static func loadAll(_ options: DataOptions) throws(FileError) -> LoadedData {
    guard options.format != .glyphs else { return try drawnGlyphs(options) }
    let path = try directory(options)
    var data = try source(options, at: path).load(path, options)
    if let place = options.validationPath {
      data.validation = try part(\.validation, of: place, data.training, options)
    }
    if let place = options.testPath { data.test = try part(\.test, of: place, data.training, options) }
    if data.test == nil, let fraction = options.testFraction {
      let parts = try data.training.holdingOutTest(fraction, source: path)
      data.training = parts.rest
      data.test = parts.held
    }
    return data
  }

  private static func drawnGlyphs(_ options: DataOptions) throws(FileError) -> LoadedData {
    try checkGlyphs([("data.limit", options.limit), ("data.test_limit", options.testLimit)])
    return LoadedData(
      training: Glyphs.draw(.training, count: max(0, options.limit ?? Glyphs.trainingCount), seed: options.seed),
      test: Glyphs.draw(.test, count: max(0, options.testLimit ?? Glyphs.testCount), seed: options.seed))
  }

  /// The images of another place: those of its part of that name, or all that it has. They are read as the training
  /// images are, and their classes are those of the training images.
  private static func part(
    _ part: KeyPath<LoadedData, Dataset?>, of place: String, _ training: Dataset, _ options: DataOptions
  ) throws(FileError) -> Dataset {
    var there = options
    there.channels = training.shape.channels
    if training.isDecoded, options.size == nil, training.shape.height == training.shape.width {
      there.size = training.shape.height
    }
    let data = try DataSources.of(try DataFormat.recognised(at: place).format)!.load(place, there)
    let images = data[keyPath: part] ?? data.training
    guard training.isDecoded || images.shape == training.shape else {
      throw FileError(path: place, reason: "images of \(images.shape), expected \(training.shape) as in training")
    }
    return try images.numbered(as: training, source: place)
  }

  /// How many of `count` images are held out.
  private static func heldOut(
    _ validation: DataOptions.Validation, of count: Int, source: String
  ) throws(FileError) -> Int {
    let held: Int
    switch validation {
    case .none: return 0
    case .count(let images): held = images
    case .fraction(let fraction): held = Int(fraction: fraction, of: count)
    }
    guard held > 0, held < count else {
      throw FileError(
        path: source,
        reason: "data.validation holds out \(held) of \(count) training images, expected 1 to \(count - 1)")
    }
    return held
  }

  private func resized(to size: Int, source: String) throws(FileError) -> DataSplits {
    try Self.checkRoom(
      for: training.count + (validation?.count ?? 0) + (test?.count ?? 0), channels: training.shape.channels,
      size: size,
      source: source)
    return DataSplits(
      training: training.resized(to: size), validation: validation?.resized(to: size),
      test: test?.resized(to: size), wholeTest: wholeTest)
  }

  private static func checkRoom(for images: Int, channels: Int, size: Int, source: String) throws(FileError) {
    // Half of the memory, for pixels alone; the division keeps the product from overflowing.
    let room = HostMemory.part(2)
    guard size > 0, size <= 1 << 16, images <= room / (size * size * channels) else {
      throw FileError(
        path: source, reason: "data.size: \(size) for \(counted(images, "image")) does not fit into memory")
    }
  }
}

extension Dataset {
  fileprivate func first(_ limit: Int?, key: String, source: String) throws(FileError) -> Dataset {
    guard let limit else { return self }
    guard limit >= 0, limit <= count else {
      throw FileError(
        path: source,
        reason: "\(key): \(limit), but \(count == 1 ? "there is" : "there are") \(counted(count, "image"))")
    }
    return slice(0..<limit)
  }

  fileprivate func keeping(_ kept: [Int]?, source: String) throws(FileError) -> Dataset {
    guard let kept else { return self }
    if let wrong = kept.first(where: { $0 >= classes }) {
      throw FileError(path: source, reason: "data.classes: there is no class \(wrong), expected 0 to \(classes - 1)")
    }
    return selecting(classes: kept)
  }
}
