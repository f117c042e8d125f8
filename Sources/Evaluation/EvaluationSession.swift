import Checkpointing
import Configuration
import Datasets
import Files
import Formats
import Foundation
import Graph
import Kernels
import MPI
import Models
import Planning
import Reporting
import Supervision

/// What `icp evaluate` does: a model's weights, measured on the test set over all ranks.
package struct EvaluationSession {
  private let configuration: RunConfiguration
  private let weights: String
  private let rounds: SharedRounds

  package init(configuration: RunConfiguration, weights: String, rounds: SharedRounds) {
    self.configuration = configuration
    self.weights = weights
    self.rounds = rounds
    KernelLibrary.setThreads(configuration.training.threads)
  }

  /// The same metrics on every rank.
  package func run() throws -> ClassificationMetrics {
    let (plan, model) = try rounds.communicator.planToMeasure(configuration, weights: weights)
    var metrics = try Evaluator(model: model, backend: plan.backend, rounds: rounds)
      .evaluate(plan.test, normalization: plan.normalization)
    metrics.classNames = plan.test.classNames
    rounds.communicator.warn(ofNotFinite: metrics.nonFinite, "test images have logits")
    return metrics
  }
}

extension Communicator {
  /// Data and model of a command that measures the weights of a file, agreed on by all ranks.
  func planToMeasure(
    _ configuration: RunConfiguration, weights path: String, judgesClasses: Bool = true
  ) throws -> (MeasurementPlan, ModelState) {
    let weights = try collectively { try WeightsFile(path: path) }
    let filled = weights.preprocessing.filling(configuration, keepsClasses: !judgesClasses)
    let indexes = try pictureIndexes(
      filled, measuresTraining: filled.data.mean == nil || filled.data.std == nil)
    let (plan, model) = try collectively {
      let plan = try MeasurementPlan(configuration, weights: weights, judgesClasses: judgesClasses, indexes: indexes)
      let model = ModelState(plan.network.trunk, seed: 0)
      try model.load(weights.tensors, from: path)
      return (plan, model)
    }
    try agree(on: "the data", plan.identity)
    if rank == 0, let warning = plan.warning { Fatal.write("icp: warning: \(warning)") }
    return (plan, model)
  }

  /// Finite weights may still overflow; what came of that must not look like a measurement.
  func warn(ofNotFinite count: Int, _ what: String) {
    guard rank == 0, count > 0 else { return }
    Fatal.write("icp: warning: \(count) \(what) that are not finite, and count as wrong: the weights are not usable")
  }
}

extension ClassificationMetrics {
  /// For people: the figures, then a line a class.
  package var text: String {
    let figures = [
      ("samples", "\(samples)"), ("accuracy", percent(accuracy)), ("loss", decimal(loss, places: 4)),
      ("precision", percent(precision)), ("recall", percent(recall)), ("F1", percent(f1)),
      ("calibration error", percent(ece)),
    ]
    let rows = perClass.enumerated().map { label, scores in
      ["\(label)", "\(scores.support)", percent(scores.precision), percent(scores.recall), percent(scores.f1)]
        + (classNames.map { [name(label, $0)] } ?? [])
    }
    return figures.map { "\($0.0): \($0.1)" }.joined(separator: "\n") + "\n\n"
      + Table.text(
        header: ["class", "samples", "precision", "recall", "F1"] + (classNames == nil ? [] : ["name"]), rows: rows,
        alignments: [.right, .right, .right, .right, .right])
  }

  /// A model may have more outputs than the data has classes.
  private func name(_ label: Int, _ names: [String]) -> String { label < names.count ? quoted(names[label]) : "" }

  /// For scripts: one JSON object with the keys accuracy loss precision recall f1 ece per_class confusion.
  package var json: String {
    struct Line: Encodable {
      var label: Int
      var name: String?
      var support: Int
      var precision: Double
      var recall: Double
      var f1: Double
    }
    struct Report: Encodable {
      var accuracy: Double
      var loss: Double?
      var precision: Double
      var recall: Double
      var f1: Double
      var ece: Double?
      var perClass: [Line]
      var confusion: [[Int]]

      enum CodingKeys: String, CodingKey {
        case accuracy, loss, precision, recall, f1, ece, confusion
        case perClass = "per_class"
      }
      func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(accuracy, forKey: .accuracy)
        // A missing key and a null are not the same to a script: JSON has no infinity, so null it is.
        try container.encode(loss, forKey: .loss)
        try container.encode(precision, forKey: .precision)
        try container.encode(recall, forKey: .recall)
        try container.encode(f1, forKey: .f1)
        try container.encode(ece, forKey: .ece)
        try container.encode(perClass, forKey: .perClass)
        try container.encode(confusion, forKey: .confusion)
      }
    }
    let report = Report(
      accuracy: accuracy, loss: loss.isFinite ? loss : nil, precision: precision, recall: recall, f1: f1,
      ece: ece.isFinite ? ece : nil,
      perClass: perClass.enumerated().map { label, scores in
        Line(
          label: label, name: classNames.flatMap { label < $0.count ? $0[label] : nil }, support: scores.support,
          precision: scores.precision, recall: scores.recall, f1: scores.f1)
      }, confusion: confusion)
    return JSONText.of(report)
  }
}
