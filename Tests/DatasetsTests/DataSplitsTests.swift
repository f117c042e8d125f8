import Datasets
import Testing

@Suite struct DataSplitsTests {
  private let folder: Folder
  private let options: DataOptions

  init() throws {
    folder = try Folder()
    for (name, bytes) in idxFiles(training: 20, test: 6) { try folder.write(name, bytes) }
    options = DataOptions(format: .idx, path: folder.path)
  }

  private func with(_ change: (inout DataOptions) -> Void) -> DataOptions {
    var options = options
    change(&options)
    return options
  }

  @Test func `limits take the first images in file order`() throws {
    let all = try DataSplits.load(options)
    let limited = try DataSplits.load(with { ($0.limit, $0.testLimit) = (7, 2) })
    #expect(limited.training.count == 7)
    #expect(limited.test!.count == 2)
    for index in 0..<7 { #expect(limited.training.pixels(index) == all.training.pixels(index)) }
    #expect(limited.validation == nil)
  }

  @Test(arguments: [
    (DataOptions.Validation.count(3), 3), (.fraction(0.25), 2), (.fraction(0.2999), 2), (.fraction(0.3), 3),
  ])
  func `split by end, validation is the end of the limited training set`(
    validation: DataOptions.Validation, held: Int
  ) throws {
    let all = try DataSplits.load(options)
    let splits = try DataSplits.load(with { ($0.limit, $0.validation, $0.validationSplit) = (10, validation, .end) })
    let validation = try #require(splits.validation)
    #expect(splits.training.count == 10 - held)
    #expect(validation.count == held)
    for index in 0..<held {
      #expect(validation.pixels(index) == all.training.pixels(10 - held + index))
      #expect(validation.origin(of: index) == all.training.origin(of: 10 - held + index))
    }
  }

  /// Twenty images with the given labels.
  private func sorted(_ labels: [UInt8], _ held: Int) throws -> DataSplits {
    try folder.write("train-labels-idx1-ubyte", idx([20], labels))
    return try DataSplits.load(with { $0.validation = .count(held) })
  }

  @Test func `stratified, each class gives its share by largest remainder, from its end in file order`() throws {
    // 9, 8 and 3 images: 7 x 9 / 20 = 3.15, 7 x 8 / 20 = 2.8, 7 x 3 / 20 = 1.05; so 3, 3, 1.
    let labels = [UInt8](repeating: 0, count: 9) + [UInt8](repeating: 1, count: 8) + [2, 2, 2]
    let splits = try sorted(labels, 7)
    let validation = try #require(splits.validation)
    #expect((0..<7).map(validation.position) == [6, 7, 8, 14, 15, 16, 19])
    #expect((0..<13).map(splits.training.position) == [0, 1, 2, 3, 4, 5, 9, 10, 11, 12, 13, 17, 18])
    #expect(splits.training.emptyClasses == [3] && validation.labels == [0, 0, 0, 1, 1, 1, 2])
    // Of equal remainders the lower classes': 3 x 5 / 20 = 0.75 four times, and one of the four goes without.
    let mixed = try #require(try sorted((0..<20).map { UInt8(3 - $0 % 4) }, 3).validation)
    #expect(mixed.labels == [2, 1, 0] && (0..<3).map(mixed.position) == [17, 18, 19])
  }

  @Test func `classes without training images are known`() throws {
    let labels = (0..<20).map { UInt8($0 / 5) }
    #expect(try sorted(labels, 5).training.emptyClasses == [])
    let end = try DataSplits.load(with { ($0.validation, $0.validationSplit) = (.count(5), .end) })
    #expect(end.training.emptyClasses == [3])
    #expect(try DataSplits.load(with { $0.limit = 12 }).training.emptyClasses == [3])
    #expect(try sorted([255] + labels.dropFirst().map { $0 + 1 }, 5).training.emptyClasses == [0] + Array(5..<255))
  }

  @Test func `a fraction that is whole but for rounding takes the whole number`() throws {
    // 0.29 * 100 is 28.999999999999996 in double precision.
    let splits = try DataSplits.load(DataOptions(limit: 100, testLimit: 1, validation: .fraction(0.29)))
    #expect(splits.validation?.count == 29)
  }

  @Test func `more than there is, is refused`() {
    #expect(loadingError(with { $0.limit = 21 }) == "\(folder.path): data.limit: 21, but there are 20 images")
    #expect(
      loadingError(with { $0.testLimit = 7 }) == "\(folder.path): data.test_limit: 7, but there are 6 images")
  }

  @Test func `0 or 1 training images, and no test images, are refused`() {
    #expect(
      loadingError(with { $0.limit = 0 })
        == "\(folder.path): 0 training images, expected at least 2 (batch statistics need more than one)")
    #expect(
      loadingError(with { $0.limit = 1 })
        == "\(folder.path): 1 training image, expected at least 2 (batch statistics need more than one)")
    #expect(
      loadingError(with { $0.validation = .count(19) })
        == "\(folder.path): 1 training image after holding out 19 for "
        + "validation, expected at least 2 (batch statistics need more than one)")
    #expect(loadingError(with { $0.testLimit = 0 }) == "\(folder.path): 0 test images, expected at least 1")
    #expect(loadingError(DataOptions(limit: 1)).hasPrefix("glyphs: 1 training image, expected at least 2"))
    #expect(loadingError(DataOptions(limit: -1)).hasPrefix("glyphs: data.limit: -1"))
  }

  @Test func `a validation set of nothing or of everything is refused`() {
    #expect(
      loadingError(with { $0.validation = .fraction(0.01) })
        == "\(folder.path): data.validation holds out 0 of 20 training images, expected 1 to 19")
    #expect(
      loadingError(with { $0.validation = .count(20) })
        == "\(folder.path): data.validation holds out 20 of 20 training images, expected 1 to 19")
  }

  @Test func `a size that no machine holds is refused`() {
    #expect(
      loadingError(with { $0.size = 60_000 * 10 }).contains("data.size: 600000 for 26 images does not fit"))
  }
}
