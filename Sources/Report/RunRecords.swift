import Foundation
import Reporting

/// The numbers of a run's `metrics.jsonl`, by kind.
struct RunRecords {
  /// Numbers by name, a record each; nulls and lists are left out.
  let steps, epochs, evaluations: [[String: Double]]
  let final: [String: Double]?
  /// Each tap's distillation loss, by step.
  let layers: [(step: Double, losses: [Double])]

  init(_ path: String) {
    var (steps, epochs, evaluations) = ([[String: Double]](), [[String: Double]](), [[String: Double]]())
    var (final, layers) = ([String: Double]?.none, [(step: Double, losses: [Double])]())
    for record in RecordLines.read(path) {
      let numbers = record.compactMapValues { ($0 as? NSNumber)?.doubleValue }
      switch record["kind"] as? String {
      case "step":
        steps.append(numbers)
        if let losses = record["distillation_loss_per_layer_none"] as? [Double], let step = numbers["step"] {
          layers.append((step, losses))
        }
      case "evaluation": evaluations.append(numbers)
      case "epoch": epochs.append(numbers)
      case "final": final = numbers
      default: break
      }
    }
    self.steps = steps
    self.epochs = epochs
    self.evaluations = evaluations
    self.final = final
    self.layers = layers
  }

  /// A number of the steps by step, of the epochs by how many are done.
  func ofSteps(_ name: String) -> [Chart.Point] { ofSteps { $0[name] } }

  func ofSteps(_ value: ([String: Double]) -> Double?) -> [Chart.Point] {
    steps.compactMap { record in
      guard let step = record["step"], let y = value(record) else { return nil }
      return Chart.Point(x: step, y: y)
    }
  }

  /// What was measured within epochs lies between them.
  func ofEpochs(_ name: String) -> [Chart.Point] {
    let ends = epochs.compactMap { record -> Chart.Point? in
      guard let epoch = record["epoch"], let y = record[name] else { return nil }
      return Chart.Point(x: epoch + 1, y: y)
    }
    guard !evaluations.isEmpty, let first = epochs.first, let epoch = first["epoch"], let step = first["step"], step > 0
    else { return ends }
    let within = evaluations.compactMap { record -> Chart.Point? in
      guard let at = record["step"], let y = record[name] else { return nil }
      return Chart.Point(x: at * (epoch + 1) / step, y: y)
    }
    return (ends + within).sorted { $0.x < $1.x }
  }

  /// Of the last epoch that has step records of refined images.
  var lastRefinement: RefinementSummary? {
    guard let epoch = steps.last(where: { $0["loss_at_x0"] != nil })?["epoch"] else { return nil }
    return RefinementSummary(steps.filter { $0["epoch"] == epoch })
  }

  /// The first epoch, from 0, in which images were refined.
  var firstRefinedEpoch: Int? { steps.first { $0["loss_at_x0"] != nil }?["epoch"].map { Int($0) } }

  func last(_ name: String) -> Double? { epochs.last { $0[name] != nil }?[name] }
}
