import Datasets
import Files
import MPI
import Models
import Planning
import Supervision

/// Measures a finished model on corrupted and on attacked test images, over all ranks: the same figures at any number
/// of them, since samples are counted and pieces cut by index.
package struct RobustnessEvaluator {
  private let plan: MeasurementPlan
  private let model: ModelState
  private let evaluator: Evaluator
  private let seed: Int

  package init(plan: MeasurementPlan, model: ModelState, rounds: SharedRounds) {
    self.plan = plan
    self.model = model
    evaluator = Evaluator(model: model, backend: plan.backend, rounds: rounds)
    seed = plan.configuration.training.seed
  }

  /// Bytes that these checks take.
  static func bytes(_ plan: MeasurementPlan, _ checks: [RobustnessCheck]) -> Double {
    let attacked = checks.contains(.attacks) ? min(plan.configuration.evaluation.attackSamples, plan.test.count) : 0
    return Evaluator.bytes(plan.network, backend: plan.backend, counts: [plan.test.count, attacked])
      + (attacked > 0 ? Attacker.bytes(plan.network, backend: plan.backend, count: attacked) : 0)
  }

  /// Samples so far whose logits were not finite.
  var notFinite: Int { evaluator.notFinite }

  /// Every rank calls it, and gets the same report.
  package func run(_ checks: [RobustnessCheck]) throws -> RobustnessReport {
    let clean = try evaluator.evaluate(plan.test, normalization: plan.normalization)
    var report = RobustnessReport(samples: clean.samples, accuracy: clean.accuracy)
    if checks.contains(.corruptions) {
      report.corruptions = try Corruption.Kind.allCases.map(measure)
      if let files = plan.cifarC { report.cifarC = try files.names.map { try measure($0, of: files) } }
    }
    if checks.contains(.attacks) { report.attacks = try measureAttacks() }
    return report
  }

  private func measure(_ kind: Corruption.Kind) throws -> RobustnessReport.Row {
    let test = plan.test
    let size = test.shape.count
    let accuracies = try Corruption.severities.map { severity in
      let corruption = Corruption(kind, severity: severity, seed: seed)
      return try evaluator.evaluate(test) { samples, _, images throws(FileError) in
        for (offset, sample) in samples.enumerated() {
          try test.write(
            sample, changedBy: corruption, normalization: plan.normalization, into: images + offset * size)
        }
      }.accuracy
    }
    return .init(name: kind.rawValue, accuracies: accuracies)
  }

  private func measure(_ name: String, of files: CIFARC) throws -> RobustnessReport.Row {
    let accuracies = try Corruption.severities.map { severity in
      let images = files.images(of: name, severity: severity, limit: plan.configuration.data.testLimit)
        .sized(to: plan.configuration.data.size)
      return try evaluator.evaluate(images, normalization: plan.normalization).accuracy
    }
    return .init(name: name, accuracies: accuracies)
  }

  private func measureAttacks() throws -> RobustnessReport.AttackScores {
    let test = plan.test
    let first = test.slice(0..<min(plan.configuration.evaluation.attackSamples, test.count))
    let attacker = Attacker(model: model, backend: plan.backend, normalization: plan.normalization, seed: seed)
    func accuracy(_ attack: Attack?) throws -> Double {
      try evaluator.evaluate(first) { samples, labels, images throws(FileError) in
        try first.normalized(samples, by: plan.normalization, into: images)
        if let attack { attacker.perturb(images, labels: labels, samples: samples, by: attack) }
      }.accuracy
    }
    return .init(samples: first.count, accuracy: try accuracy(nil), fgsm: try accuracy(.fgsm), pgd: try accuracy(.pgd))
  }
}
