import Configuration
import Datasets
import Graph
import Kernels
import Loading
import Method
import Models
import Optimization
import Planning
import TestSupport
import Testing

/// Ten steps of SGD from the same start as PyTorch's (`fine_tuning` in make_fixtures.py), with parts frozen, with
/// statistics fixed or not, with other learning rates by layer.
///
/// Losses agree within 2e-4, gradients' norms within 2e-3, what the last step leaves within 5e-3 of the largest of its
/// tensor. A ReLU whose input lies within rounding of 0 may go either way: it moved a value by 3.6e-3 with OpenBLAS on
/// a Zen 5. Frozen parameters and fixed statistics keep their bits.
@Suite struct `Fine-tuning` {
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    var freeze: [String] = []
    var fixes = false
    var multipliers: [String: Double] = [:]
    var testDescription: String { name }
  }

  static let cases = [
    Case(name: "frozen", freeze: ["conv1", "bn1", "layer1", "layer2"]),
    Case(name: "fixed", freeze: ["conv1", "bn1", "layer1", "layer2"], fixes: true),
    Case(name: "within", freeze: ["layer2", "fc.bias"]),
    Case(name: "within_fixed", freeze: ["layer2", "fc.bias"], fixes: true),
    Case(name: "multipliers", multipliers: ["conv1": 0.0625, "layer1": 0.25, "layer3.0.conv2": 2, "fc": 4]),
    Case(name: "both", freeze: ["conv1", "bn1", "layer1"], fixes: true, multipliers: ["layer2": 0.25]),
  ]

  @Test(arguments: cases, ConvolutionBackend.allCases)
  func `losses, norms, parameters and statistics are PyTorch's over ten steps`(
    golden: Case, backend: ConvolutionBackend
  ) throws {
    let (reference, start) = (try Golden(fixture: "fine_tuning"), try Golden(fixture: "training_adam"))
    var network = try Network.make(
      .resnet8, shortcut: .projection, hidden: [], input: SampleShape(3, 8, 8), classes: 10)
    network.freeze = Freeze(golden.freeze, fixesStatistics: golden.fixes)
    let model = ModelState(network, seed: 0)
    try model.load(model.namedTensors.map { try start.file.tensor("model.\($0.name)").renamed($0.name) }, from: "")
    let before = ModelState(copying: model)
    var configuration = RunConfiguration()
    configuration.kernels.convolution = backend
    configuration.icp.rule = .none
    configuration.optimizer.kind = .sgd
    configuration.optimizer.weightDecay = 5e-3
    configuration.optimizer.multipliers = golden.multipliers
    let method = TrainingMethod(
      try MethodPlan(configuration, network: network, normalization: nil), model: model, sizes: [8])
    let optimizer = Optimizer(configuration.optimizer, layout: model.layout)
    let (images, labels) = (try reference.channelsLast("x", of: 8), try reference.labels("y"))
    let (losses, norms) = (
      try reference.floats("\(golden.name).losses"), try reference.floats("\(golden.name).norms")
    )
    for step in 0..<10 {
      method.begin()
      let shard = Shard(
        images: Array(images[step * 8 * 192..<(step + 1) * 8 * 192]),
        shape: ImageShape(channels: 3, height: 8, width: 8), labels: Array(labels[step * 8..<(step + 1) * 8]))
      let result = method.differentiate(
        shard, StepContext(epoch: 0, position: step, batchCount: 8, stage: .plain, alpha: 1), phases: NoPhases())
      for entry in model.layout.parameters where entry.isFrozen {
        #expect(result.gradients.values[entry.range].allSatisfy { $0 == 0 }, "\(entry.name)")
      }
      let norm = optimizer.step(model.parameters, along: result.gradients, clippedTo: 2, learningRate: 0.02)
      model.replace(statistics: result.statistics)
      let (loss, gradient) = (Double(losses[step]), Double(norms[step]))
      #expect(abs(result.scalars.taskLoss - loss) <= 2e-4 * loss, "step \(step): \(result.scalars.taskLoss), \(loss)")
      #expect(abs(norm - gradient) <= 2e-3 * gradient, "step \(step): \(norm), expected \(gradient)")
    }
    compare(model.layout.parameters, model.parameters, before.parameters, golden, reference)
    compare(model.layout.statistics, model.statistics, before.statistics, golden, reference)
  }

  private func compare(
    _ entries: [ParameterLayout.Entry], _ after: Tensor, _ before: Tensor, _ golden: Case, _ reference: Golden
  ) {
    for entry in entries {
      let values = after.values[entry.range]
      if entry.isFrozen {
        #expect(values.map(\.bitPattern) == before.values[entry.range].map(\.bitPattern), "\(entry.name)")
      }
      guard let expected = try? reference.floats("\(golden.name).after.\(entry.name)") else { continue }
      #expect(Distance.maximum(values, expected) < 5e-3, "\(entry.name)")
    }
  }
}

extension Golden {
  /// A tensor (steps, batch, channels, height, width), each step's images channels last.
  fileprivate func channelsLast(_ name: String, of batch: Int) throws -> [Float] {
    let shape = shape(name)
    return Layout.channelsLast(try floats(name), shape: [shape[0] * batch] + shape[2...])
  }
}
