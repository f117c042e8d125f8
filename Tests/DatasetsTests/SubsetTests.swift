import Datasets
import Testing

@Suite struct SubsetTests {
  private let folder: Folder

  init() throws {
    folder = try Folder()
    for (name, bytes) in idxFiles(training: 120, test: 16) { try folder.write(name, bytes) }
  }

  private func load(_ change: (inout DataOptions) -> Void = { _ in }) throws -> DataSplits {
    var options = DataOptions(format: .idx, path: folder.path)
    change(&options)
    return try DataSplits.load(options)
  }

  private func positions(_ dataset: Dataset) -> [Int] { (0..<dataset.count).map(dataset.position) }

  @Test func `a subset has as many of each class, in file order, with their own pixels`() throws {
    let all = try load().training
    let subset = try load { $0.samplesPerClass = 7 }.training
    #expect(subset.count == 28)
    for label in 0..<4 { #expect(subset.labels.count { $0 == label } == 7) }
    #expect(positions(subset) == positions(subset).sorted())
    for (index, position) in positions(subset).enumerated() {
      #expect(subset.label(index) == all.label(position) && subset.pixels(index) == all.pixels(position))
      #expect(subset.origin(of: index) == all.origin(of: position))
    }
  }

  @Test func `subsets of one seed are nested, those of another are others`() throws {
    let sizes = [1, 2, 5, 10, 29, 30]
    let subsets = try sizes.map { size in Set(positions(try load { $0.samplesPerClass = size }.training)) }
    for (small, large) in zip(subsets, subsets.dropFirst()) { #expect(small.isStrictSubset(of: large)) }
    #expect(subsets.last?.count == 120)
    let others = Set(positions(try load { ($0.samplesPerClass, $0.subsetSeed) = (10, 1) }.training))
    #expect(others != subsets[3])
  }

  @Test func `a subset is taken from what is left to train on`() throws {
    let splits = try load {
      $0.limit = 80
      $0.validation = .count(20)
      $0.samplesPerClass = 15
      $0.validationSplit = .end
    }
    #expect(positions(splits.training) == Array(0..<60))
    #expect(positions(splits.validation!) == Array(60..<80))
  }

  @Test func `a class with too few images is named`() throws {
    var options = DataOptions(format: .idx, path: folder.path)
    options.limit = 7
    options.samplesPerClass = 2
    #expect(loadingError(options) == "\(folder.path): data.samples_per_class: 2, but class 3 has 1 training images")
  }

  @Test func `kept classes become 0, 1, ... in the order of the list, in every split`() throws {
    let all = try load()
    let splits = try load { ($0.classes, $0.validation) = ([3, 1], .count(10)) }
    for (part, whole) in [
      (splits.training, all.training), (splits.validation!, all.training), (splits.test!, all.test!),
    ] {
      #expect(part.classes == 2)
      for index in 0..<part.count {
        #expect([3, 1][part.label(index)] == whole.label(part.position(of: index)))
        #expect(part.pixels(index) == whole.pixels(part.position(of: index)))
      }
    }
    #expect(splits.training.count == 50 && splits.validation?.count == 10 && splits.test!.count == 8)
    // The renumbered labels are what noise and subsets go by.
    let noisy = try load {
      $0.classes = [3, 1]
      $0.samplesPerClass = 10
      $0.labelNoise.kind = .pairFlip
      $0.labelNoise.rate = 0.5
    }.training
    #expect(noisy.count == 20 && noisy.wrongLabels == 10 && Set(noisy.labels) == [0, 1])
    var options = DataOptions(format: .idx, path: folder.path)
    options.classes = [1, 4]
    #expect(loadingError(options) == "\(folder.path): data.classes: there is no class 4, expected 0 to 3")
  }

  @Test func `resizing a part is the same as taking a part of what was resized`() throws {
    let whole = try load { $0.size = 3 }.training
    let part = try load { ($0.size, $0.samplesPerClass, $0.classes) = (3, 4, [2, 0, 1]) }.training
    for index in 0..<part.count { #expect(part.pixels(index) == whole.pixels(part.position(of: index))) }
    // And a part of that again.
    let sample = part.sample(5, seed: 1)
    #expect(sample.count == 5)
    for index in 0..<5 { #expect(sample.pixels(index) == whole.pixels(sample.position(of: index))) }
    let slice = part.slice(3..<9)
    for index in 0..<6 {
      #expect(slice.pixels(index) == part.pixels(index + 3) && slice.label(index) == part.label(index + 3))
    }
  }
}
