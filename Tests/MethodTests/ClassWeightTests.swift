import Configuration
import Datasets
import Graph
import Kernels
import Loading
import Method
import Models
import TestSupport
import Testing

/// `training.class_weights` against PyTorch's CrossEntropyLoss(weight) (`class_weights` in make_fixtures.py): losses
/// within 1e-6, gradients within 1e-5 of the largest.
@Suite struct `Class weights` {
  private let golden: Golden
  private let weights: [Double]
  private let labels, partners: [Int32]

  init() throws {
    golden = try Golden(fixture: "class_weights")
    weights = try golden.floats("weight").map(Double.init)
    labels = try golden.labels("y")
    partners = try golden.labels("partners")
  }

  private var sum: Double { labels.reduce(0) { $0 + weights[Int($1)] } }

  @Test(arguments: [("plain", 0, 1), ("smoothed", 0.1, 1), ("mixed", 0.1, 0.75)])
  func `the weighted mean and its gradient are PyTorch's, smoothed and mixed too`(
    name: String, smoothing: Double, share: Double
  ) throws {
    let crossEntropy = CrossEntropy(classes: 5, smoothing: smoothing, weights: weights)
    let logits = try golden.floats("logits")
    var gradient = [Float](repeating: 0, count: logits.count)
    let others = partners.map { labels[Int($0)] }
    let loss = others.withUnsafeBufferPointer { others in
      crossEntropy(
        logits: logits, labels: labels, mixture: share == 1 ? nil : .init(others: others.baseAddress!, weight: share),
        samples: labels.count, scale: 1 / sum, gradient: &gradient)
    }
    #expect(abs(loss / sum - (try golden.scalar("\(name).loss"))) < 1e-6)
    #expect(Distance.maximum(gradient, try golden.floats("\(name).gradient")) < 1e-5)
  }

  @Test(arguments: [[11], [4, 4, 3], [1, 9, 1]])
  func `the shards' losses and gradients add up to the batch's, however it is cut`(parts: [Int]) throws {
    let network = try Network.make(
      .mlp, shortcut: .projection, hidden: [32, 24], input: SampleShape(2, 4, 4), classes: 5)
    let model = ModelState(network, seed: 0)
    try model.load(model.namedTensors.map { try golden.file.tensor("model.\($0.name)").renamed($0.name) }, from: "")
    var configuration = RunConfiguration()
    configuration.icp.rule = .none
    let plan = try MethodPlan(configuration, network: network, normalization: nil, classWeights: weights)
    let images = try golden.channelsLast("x")
    func run(_ parts: [Int]) -> (loss: Double, gradient: [Double]) {
      let method = TrainingMethod(plan, model: model, sizes: Set(parts))
      method.begin()
      var (first, loss) = (0, 0.0)
      var gradient = [Double](repeating: 0, count: model.layout.parameterCount)
      for count in parts {
        let shard = Shard(
          images: Array(images[first * 32..<(first + count) * 32]), shape: ImageShape(channels: 2, height: 4, width: 4),
          labels: Array(labels[first..<first + count]), meanWeight: sum / 11)
        let result = method.differentiate(
          shard, StepContext(epoch: 0, batchCount: 11, stage: .plain, alpha: 1), phases: NoPhases())
        loss += Double(count) / 11 * result.scalars.taskLoss
        for index in gradient.indices { gradient[index] += Double(count) / 11 * Double(result.gradients.values[index]) }
        first += count
      }
      return (loss, gradient)
    }
    let (whole, cut) = (run([11]), run(parts))
    #expect(abs(cut.loss - (try golden.scalar("plain.loss"))) < 1e-5)
    #expect(Distance.maximum(cut.gradient.map { Float($0) }, whole.gradient.map { Float($0) }) < 1e-5)
  }

  @Test func `balanced weights are scikit-learn's`() {
    let expected: [Double] = [10.0 / (3.0 * 6.0), 10.0 / (3.0 * 3.0), 0.0, 10.0 / 3.0]
    #expect(ClassWeights.balanced.values(counts: [6, 3, 0, 1]) == expected)
    #expect(
      ClassWeights.none.values(counts: [6, 3]) == nil && ClassWeights.list([2, 1]).values(counts: [6, 3]) == [2, 1])
  }
}
