import Checkpointing
import Configuration
import Datasets
import Execution
import Files
import Foundation
import Kernels
import Models
import Planning
import Refinement
import Runtime

/// The test images as a trained network sees them, in one process: what it says of each, and where the refinement moves
/// it.
package final class TestImages {
  private let plan: MeasurementPlan
  private let network: FrozenNetwork
  private let model: ModelState

  /// Throws: FileError and others where weights or data cannot be used.
  package init(_ configuration: RunConfiguration, weights: WeightsFile) throws {
    KernelLibrary.setThreads(configuration.training.threads)
    plan = try MeasurementPlan(configuration, weights: weights)
    model = ModelState(plan.network.trunk, seed: 0)
    try model.load(weights.tensors, from: weights.path)
    network = FrozenNetwork(
      model.network, layout: model.layout, backend: plan.backend, differentiable: true, scratch: Scratch())
    network.fold(parameters: model.parameters.pointer, statistics: model.statistics.pointer)
  }

  package var count: Int { plan.test.count }
  package var shape: ImageShape { plan.test.shape }
  package var normalization: Normalization { plan.normalization }
  package var classNames: [String]? { plan.classNames }
  package var classes: Int { network.classes }
  package var warning: String? { plan.warning }
  /// Where an image comes from.
  package func origin(of index: Int) -> String { plan.test.origin(of: index) }

  /// Normalised, (height, width, channels).
  package func image(_ index: Int) throws(FileError) -> [Float] { try images([index]) }

  private func images(_ indices: [Int]) throws(FileError) -> [Float] {
    var failure: FileError?
    let part = plan.test.selecting(indices)
    let values = [Float](unsafeUninitializedCapacity: indices.count * shape.count) { buffer, initialized in
      do throws(FileError) {
        try part.normalized(0..<indices.count, by: normalization, into: buffer.baseAddress!)
        initialized = indices.count * shape.count
      } catch { failure = error }
    }
    if let failure { throw failure }
    return values
  }

  /// What the network says of one image.
  package struct Prediction: Sendable {
    /// Of the test images.
    package let index: Int
    package let label: Int
    /// The class of the largest logit; nil where one is not finite.
    package let predicted: Int?
    /// The probability of that class, and the label's cross entropy.
    package let confidence, loss: Double

    package var isRight: Bool { predicted == label }
  }

  package struct Measurement {
    /// In the order of the test set.
    package let predictions: [Prediction]
    package let metrics: ClassificationMetrics
  }

  /// Few enough for a page, on a core that does 20 GFLOP/s in about two seconds; small data sets are measured whole by
  /// it, however busy the machine is.
  private static let leastOperations = 4e10

  /// Of `most` images, or else of all that it gets to within `seconds`: drawn at random, the same order at any time.
  package func measure(most: Int?, seconds: Double) throws -> Measurement {
    let order = Array(SampleDraw(plan.test, seed: 0, purpose: .evaluation).first(most ?? count, of: 0..<count))
    let watch = Stopwatch()
    var sums = EvaluationSums(classes: classes)
    var predictions: [Prediction] = []
    for start in stride(from: 0, to: order.count, by: network.pieceSize) {
      let operations = Double(start) * Double(plan.network.operations)
      if most == nil, operations > Self.leastOperations, watch.seconds > seconds { break }
      let indices = Array(order[start..<min(start + network.pieceSize, order.count)])
      let logits = try images(indices).withUnsafeBufferPointer {
        network.logits($0.baseAddress!, samples: indices.count)
      }
      let labels = indices.map { Int32(plan.test.label($0)) }
      sums.add(logits: logits, labels: labels, count: indices.count)
      predictions += self.predictions(logits, indices)
    }
    predictions.sort { $0.index < $1.index }
    var metrics = ClassificationMetrics(sums)
    metrics.classNames = classNames
    return Measurement(predictions: predictions, metrics: metrics)
  }

  private func predictions(_ logits: UnsafePointer<Float>, _ indices: [Int]) -> [Prediction] {
    indices.enumerated().map { place, index in
      let row = UnsafeBufferPointer(start: logits + place * classes, count: classes)
      let label = plan.test.label(index)
      guard row.allSatisfy(\.isFinite) else {
        return Prediction(index: index, label: label, predicted: nil, confidence: .nan, loss: .nan)
      }
      // As EvaluationSums has it.
      let predicted = row.indices.reduce(0) { row[$1] > row[$0] ? $1 : $0 }
      let largest = Double(row[predicted])
      let sum = row.reduce(0.0) { $0 + exp(Double($1) - largest) }
      return Prediction(
        index: index, label: label, predicted: predicted, confidence: 1 / sum,
        loss: log(sum) - (Double(row[label]) - largest))
    }
  }

  /// An image on its way down its own loss.
  package struct Refinement {
    package let index: Int
    /// x_0 ... x_T: normalised, (height, width, channels).
    package let iterates: [[Float]]
    /// Of each iterate.
    package let predictions: [Prediction]
  }

  /// What training's refinement does with these images, by their labels: `icp` of the configuration, on the weights as
  /// they are. One iterate without a rule.
  package func refinements(of indices: [Int]) throws -> [Refinement] {
    guard !indices.isEmpty else { return [] }
    let (icp, size) = (plan.configuration.icp, shape.count)
    let refiner = Refiner(icp, network: network, normalization: normalization, capacity: indices.count)
    let start = try images(indices)
    var iterates = Array(repeating: start, count: icp.refinementSteps + 1)
    let labels = indices.map { Int32(plan.test.label($0)) }
    indices.withUnsafeBufferPointer { samples in
      _ = refiner.refine(
        start, labels: labels, samples: samples.count,
        lossScale: icp.reduction == .sum ? 1 : 1 / Double(plan.configuration.training.batchSize),
        addresses: .init(seed: plan.configuration.training.seed, epoch: 0, samples: samples)
      ) { iteration, first, x in
        iterates[iteration].replaceSubrange(first * size..<first * size + x.count, with: x)
      }
    }
    let predictions = iterates.map { images in
      stride(from: 0, to: indices.count, by: network.pieceSize).flatMap { first in
        let piece = Array(indices[first..<min(first + network.pieceSize, indices.count)])
        let logits = images.withUnsafeBufferPointer {
          network.logits($0.baseAddress! + first * size, samples: piece.count)
        }
        return self.predictions(logits, piece)
      }
    }
    return indices.enumerated().map { place, index in
      Refinement(
        index: index, iterates: iterates.map { Array($0[place * size..<(place + 1) * size]) },
        predictions: predictions.map { $0[place] })
    }
  }
}
