import Datasets
import Evaluation
import Execution
import Graph
import Kernels
import MPI
import Models
import Testing

@Suite struct EvaluatorTests {
  private let data: Dataset
  private let model: ModelState
  private let normalization = Normalization(mean: [0.3], std: [0.4])

  /// 37 drawn images: no whole number of pieces of any size above 1.
  init() throws {
    data = try DataSplits.load(DataOptions(format: .glyphs, size: 8, limit: 10, testLimit: 37)).testImages
    model = ModelState(
      try .make(.resnet8, shortcut: .projection, hidden: [], input: SampleShape(1, 8, 8), classes: 10), seed: 5)
  }

  private func evaluator() -> Evaluator {
    Evaluator(model: model, backend: .onednn, rounds: SharedRounds(.alone))
  }

  /// Sample by sample through the network.
  private func expected() throws -> ClassificationMetrics {
    let network = FrozenNetwork(
      model.network, layout: model.layout, backend: .onednn, differentiable: false, scratch: Scratch())
    network.fold(parameters: model.parameters.pointer, statistics: model.statistics.pointer)
    let image = Tensor(count: 64)
    var sums = EvaluationSums(classes: 10)
    for sample in 0..<data.count {
      try data.normalized(sample..<sample + 1, by: normalization, into: image)
      sums.add(
        logits: network.logits(image.pointer, samples: 1), labels: [Int32(data.label(sample))], count: 1)
    }
    return ClassificationMetrics(sums)
  }

  @Test func `every sample counts once, in evaluation mode, however samples are cut into pieces`() throws {
    let metrics = try evaluator().evaluate(data, normalization: normalization)
    let expected = try expected()
    #expect(metrics.samples == 37 && metrics.confusion == expected.confusion)
    // Pieces of another size may round otherwise: float32 through eight layers.
    #expect(abs(metrics.loss - expected.loss) < 1e-5 * expected.loss)
  }

  @Test func `the same weights give the same bits again, and new ones are measured as they are`() throws {
    let evaluator = evaluator()
    let first = try evaluator.evaluate(data, normalization: normalization)
    #expect(try evaluator.evaluate(data, normalization: normalization) == first)
    let bias = model.layout.start(of: "fc.bias")
    model.parameters.values[bias + 3] += 100
    let second = try evaluator.evaluate(data, normalization: normalization)
    // All are taken for class 3.
    #expect(second.perClass[3].predicted == 37 && first.perClass[3].predicted < 37)
    model.parameters.values[bias + 3] -= 100
    model.statistics.values[model.layout.start(of: "bn1.running_mean")] += 3
    #expect(try evaluator.evaluate(data, normalization: normalization) != first)
  }

  @Test func `images of the caller's own are measured in the place of the data's`() throws {
    var seen: [Range<Int>] = []
    let metrics = try evaluator().evaluate(data) { samples, labels, images in
      seen.append(samples)
      for (offset, sample) in samples.enumerated() {
        #expect(labels[offset] == Int32(data.label(sample)))
        (images + offset * 64).update(repeating: 0, count: 64)
      }
    }
    #expect(seen.flatMap(Array.init) == Array(0..<37))
    // All images alike are all taken for one class.
    #expect(metrics.perClass.count { $0.predicted == 37 } == 1)
  }

  @Test func `samples whose logits are no numbers are wrong, and counted over all evaluations`() throws {
    let evaluator = evaluator()
    model.parameters.values[model.layout.start(of: "fc.bias")] = .nan
    #expect(try evaluator.evaluate(data, normalization: normalization).nonFinite == 37)
    #expect(try evaluator.evaluate(data, normalization: normalization).accuracy == 0)
    #expect(evaluator.notFinite == 2 * 37)
  }

  @Test(arguments: [0, 1, 7, 8, 9, 64, 100], [1, 2, 3, 5, 16])
  func `ranks share the pieces evenly, and a piece does not depend on how many they are`(count: Int, ranks: Int) {
    let size = 8
    let shares = (0..<ranks).map { Array(Evaluator.pieces(of: count, size: size, rank: $0, of: ranks)) }
    let pieces = shares.flatMap(\.self)
    #expect(pieces == Array(Evaluator.pieces(of: count, size: size, rank: 0, of: 1)))
    #expect(pieces.flatMap(Array.init) == Array(0..<count) && pieces.dropLast().allSatisfy { $0.count == size })
    #expect(pieces.count == Evaluator.pieceCount(count, size: size))
    #expect(shares.map(\.count).max()! - shares.map(\.count).min()! <= 1)
  }
}
