import Datasets
import Files
import Testing

@Suite struct LabelNoiseTests {
  /// 4,000 images of one pixel, labels 0 to 3 in turn.
  private static let count = 4000
  private let folder: Folder

  init() throws {
    folder = try Folder()
    for (name, bytes) in idxFiles(training: Self.count, test: 8, height: 1, width: 1) { try folder.write(name, bytes) }
  }

  private func splits(
    _ kind: LabelNoiseKind, _ rate: Double, seed: Int = 1, _ change: (inout DataOptions) -> Void = { _ in }
  ) throws -> DataSplits {
    var options = DataOptions(format: .idx, path: folder.path)
    options.labelNoise.kind = kind
    options.labelNoise.rate = rate
    options.labelNoise.seed = seed
    change(&options)
    return try DataSplits.load(options)
  }

  /// Entry [i][j]: how many samples of class i are given label j.
  private func transitions(_ dataset: Dataset) -> [[Int]] {
    var counts = [[Int]](repeating: [Int](repeating: 0, count: dataset.classes), count: dataset.classes)
    for index in 0..<dataset.count { counts[dataset.trueLabel(index)][dataset.label(index)] += 1 }
    return counts
  }

  private func wrong(_ dataset: Dataset) -> Set<Int> {
    Set((0..<dataset.count).filter { dataset.label($0) != dataset.trueLabel($0) })
  }

  @Test(arguments: [0.2, 0.4, 0.6, 1])
  func `symmetric noise redraws labels from all classes`(rate: Double) throws {
    let counts = transitions(try splits(.symmetric, rate).training)
    let chosen = rate * Double(Self.count)
    // A cell is binomial: each of the 4,000 is chosen for it with probability rate / 16 (the draw's exact size narrows
    // this). Four and a half standard deviations: one test in 10,000 would fail by chance, and the seed is fixed.
    let expected = chosen / 16
    for (label, row) in counts.enumerated() {
      for (given, count) in row.enumerated() where given != label {
        #expect(abs(Double(count) - expected) < 4.5 * expected.squareRoot())
      }
    }
    // One in four of the chosen keeps its label by chance.
    let wrong = Double(Self.count - (0..<4).reduce(0) { $0 + counts[$1][$1] })
    #expect(wrong <= chosen)
    #expect(abs(wrong - chosen * 3 / 4) < 4.5 * (chosen * 3 / 16).squareRoot())
  }

  @Test(arguments: [0.2, 0.4, 0.6, 0.9996])
  func `exclusive noise makes exactly floor(rate x samples) of each class wrong, evenly`(rate: Double) throws {
    let counts = transitions(try splits(.symmetricExclusive, rate).training)
    let changed = Int(rate * 1000 + 1e-9)
    for (label, row) in counts.enumerated() {
      #expect(row[label] == 1000 - changed)
      for given in 0..<4 where given != label {
        let expected = Double(changed) / 3
        #expect(abs(Double(row[given]) - expected) < 4.5 * (expected * 2 / 3).squareRoot())
      }
    }
  }

  @Test func `pair-flip gives exactly floor(rate x samples) of each class the next label`() throws {
    #expect(
      transitions(try splits(.pairFlip, 0.45).training) == [
        [550, 450, 0, 0], [0, 550, 450, 0], [0, 0, 550, 450], [450, 0, 0, 550],
      ])
  }

  @Test func `a rate that is whole but for rounding takes the whole number`() throws {
    // 0.29 * 1000 is 290 - 6e-14 in double precision.
    #expect(transitions(try splits(.pairFlip, 0.29).training)[0] == [710, 290, 0, 0])
    #expect(try splits(.pairFlip, 0).training.wrongLabels == 0)
    #expect(try splits(.none, 0.5).training.wrongLabels == 0)
  }

  @Test(arguments: [LabelNoiseKind.symmetric, .symmetricExclusive, .pairFlip])
  func `a higher rate keeps what a lower one made wrong, and another seed does not`(kind: LabelNoiseKind) throws {
    let (low, high) = (try splits(kind, 0.2).training, try splits(kind, 0.4).training)
    #expect(wrong(low).isStrictSubset(of: wrong(high)))
    for index in wrong(low) { #expect(low.label(index) == high.label(index)) }
    #expect(try splits(kind, 0.2).training.labels == low.labels)
    #expect(wrong(try splits(kind, 0.2, seed: 2).training) != wrong(low))
  }

  @Test func `noise touches training labels alone, and depends on a sample's position in the files`() throws {
    let whole = try splits(.pairFlip, 0.4).training
    let part = try splits(.pairFlip, 0.4) { $0.validation = .fraction(0.25) }
    #expect(part.validation?.wrongLabels == 0 && part.test!.wrongLabels == 0)
    #expect(part.training.wrongLabels == 1200)
    // The draw of 3,000 and that of 4,000 go by the same keys, so about as many of the first 3,000 are in both.
    #expect(wrong(part.training).intersection(wrong(whole)).count > 1150)
  }

  @Test func `asymmetric noise takes CIFAR-10's classes for their like`() throws {
    let cifar = try Folder()
    try cifar.write("data_batch_1.bin", cifarRecords(60))
    try cifar.write("data_batch_2.bin", cifarRecords(40))
    try cifar.write("test.bin", cifarRecords(10))
    let training = try splits(.asymmetric, 0.4) { ($0.format, $0.path) = (.cifar10, cifar.path) }.training
    // airplane 0, automobile 1, bird 2, cat 3, deer 4, dog 5, frog 6, horse 7, ship 8, truck 9
    let mistakes = [9: 1, 2: 0, 4: 7, 3: 5, 5: 3]
    for (label, row) in transitions(training).enumerated() {
      var expected = [Int](repeating: 0, count: 10)
      expected[label] = 10
      if let mistake = mistakes[label] { (expected[label], expected[mistake]) = (6, 4) }
      #expect(row == expected)
    }
  }

  @Test func `asymmetric noise stays inside CIFAR-100's superclasses`() throws {
    let cifar = try Folder()
    try cifar.write("train.bin", cifarRecords(200, hundred: true))
    try cifar.write("test.bin", cifarRecords(1, hundred: true))
    let training = try splits(.asymmetric, 0.5) { ($0.format, $0.path) = (.cifar100, cifar.path) }.training
    let mistakes = transitions(training).map { row in row.indices.filter { row[$0] == 1 } }
    #expect(mistakes.allSatisfy { $0.count == 2 })
    func mistake(_ fine: Int) -> Int { mistakes[fine].first { $0 != fine }! }
    // Fruit and vegetables: apple 0, mushroom 51, orange 53, pear 57, sweet pepper 83. Trees: maple 47, oak 52, palm
    // 56, pine 59, willow 96. Five steps come back.
    #expect([0, 51, 53, 57, 83].map(mistake) == [51, 53, 57, 83, 0])
    #expect([47, 52, 56, 59, 96].map(mistake) == [52, 56, 59, 96, 47])
    for fine in 0..<100 {
      let round = (0..<5).reduce(into: [fine]) { round, _ in round.append(mistake(round.last!)) }
      #expect(round.last == fine && Set(round).count == 5)
    }
  }

  @Test func `asymmetric noise is refused where classes have no meaning`() throws {
    #expect(throws: FileError.self) { try splits(.asymmetric, 0.4) }
  }
}
