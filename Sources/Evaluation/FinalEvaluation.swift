import Configuration
import MPI
import Models
import Planning
import Reporting
import Runtime
import Supervision

/// What `evaluation.final` asks for: checked before a run's first step, measured after its last.
package struct FinalEvaluation {
  private let plan: MeasurementPlan
  private let checks: [RobustnessCheck]
  private let classes: EpisodeClasses?
  /// Of one shot and of five.
  private let episodes: [Episodes]

  /// Nil where nothing is asked for.
  /// Throws: DataError; UsageError where there are too few classes or images for episodes.
  package init?(_ plan: RunPlan) throws {
    let final = plan.configuration.evaluation.final
    guard !final.isEmpty else { return nil }
    let plan = try MeasurementPlan(plan)
    self.plan = plan
    checks = final.compactMap(\.robustness)
    guard final.contains(.episodes) else {
      classes = nil
      episodes = []
      return
    }
    let classes = try EpisodeClasses(leftOutOf: plan)
    guard classes.labels.count >= 2 else {
      throw UsageError(
        "'evaluation.final': episodes need two classes at least that 'data.classes' leaves out, "
          + "but there \(classes.labels.isEmpty ? "are none" : "is only \(classes.labels[0])")")
    }
    do {
      // A fixed seed: all runs meet the same episodes.
      episodes = try [1, 5].map { shots in
        try classes.episodes(
          EpisodeOptions(way: min(5, classes.labels.count), shots: shots, queries: 15, episodes: 600, seed: 0))
      }
    } catch let error as UsageError {
      throw UsageError("'evaluation.final': episodes: \(error)")
    }
    self.classes = classes
  }

  /// Tells what two ranks would measure apart.
  package var dataIdentity: String { "\(plan.identity) \(classes?.identity ?? "")" }

  /// Of the weights as they are now. Every rank calls it, and gets the same report.
  package func run(_ model: ModelState, rounds: SharedRounds) throws -> FinalReport {
    let robustness = RobustnessEvaluator(plan: plan, model: model, rounds: rounds)
    var report = FinalReport(robustness: try robustness.run(checks))
    rounds.communicator.warn(ofNotFinite: robustness.notFinite, "images, of all that were measured, have logits")
    if let classes {
      let evaluator = try EpisodeEvaluator(classes, plan: plan, model: model, rounds: rounds)
      report.episodes = try episodes.map { try evaluator.run($0) }
    }
    return report
  }
}
