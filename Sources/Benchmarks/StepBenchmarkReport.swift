import Execution
import Graph
import Method
import Planning
import Reduction
import Refinement
import Reporting
import Runtime

/// What a step came to, by the slowest rank.
package struct StepBenchmarkReport {
  private let plan: RunPlan
  private let ranks: Int
  private let options: RepeatOptions
  /// Seconds of whole steps, and of each phase.
  private let total: Measurements
  private let phases: [(phase: Phase, seconds: Measurements)]
  private let dataShare: Double
  /// Bytes, the largest over the ranks.
  var residentAnonymous, residentAnonymousAtStepTwo, peakResident: Int?
  /// Processor time by time, the least over the ranks. A rank hardly sleeps in a step (MPI waits by asking again), so
  /// less than 1 means that something else ran on its core.
  var processorShare = 1.0
  /// Seconds: fastest, in the refinement's pieces, in those of training passes (`BareConvolutions`); nil where they
  /// were not timed.
  var bareConvolutions: [Double]?

  /// `steps` holds the seconds of each phase of each repeat.
  init(plan: RunPlan, ranks: Int, options: RepeatOptions, steps: [[Double]]) {
    self.plan = plan
    self.ranks = ranks
    self.options = options
    let totals = steps.map { $0.reduce(0, +) }
    total = Measurements(totals)
    phases = Phase.ofStep.map { phase in (phase, Measurements(steps.map { $0[phase.rawValue] })) }
    // Of all repeats, not by the medians: one long wait in ten steps must show.
    dataShare = steps.reduce(0) { $0 + $1[Phase.data.rawValue] } / totals.reduce(0, +)
  }

  private var batchSize: Int { plan.configuration.training.batchSize }
  private var imagesPerSecond: Double { Double(batchSize) / total.median }

  /// The step's work, counted as METHOD.md does: in forward passes, each of all multiplications and additions of the
  /// layers. The student's backward pass to the images is in it, though no step computes it: 0.4 % of a plain step of
  /// ResNet-20.
  private var gflops: Double {
    Double(plan.network.operations) * Double(batchSize) * Double(passes) / total.median / 1e9
  }

  private var passes: Double { plan.method.passes(in: plan.method.hasCyclicStage ? .cyclic : .plain) }

  private var convolutionShare: Double? { bareConvolutions.map { $0[0] / total.median } }

  private func mebibytes(_ bytes: Int?) -> Double? { bytes.map { Double($0) / 0x1p20 } }

  /// For scripts.
  package var json: String {
    let configuration = plan.configuration
    return BenchmarkValue.object([
      "step_seconds": .number(total.median), "step_seconds_min": .number(total.minimum),
      "step_seconds_max": .number(total.maximum), "spread": .number(total.spread),
      "images_per_second": .number(imagesPerSecond), "gflops": .number(gflops),
      "forward_passes": .number(passes),
      "convolution_share": .number(convolutionShare), "bare_convolution_seconds": .number(bareConvolutions?[0]),
      "bare_convolution_seconds_refinement_pieces": .number(bareConvolutions?[1]),
      "bare_convolution_seconds_training_pieces": .number(bareConvolutions?[2]),
      "phases": .object(
        Dictionary(uniqueKeysWithValues: phases.map { ("\($0.phase)", .number($0.seconds.median)) })),
      "data_wait_share": .number(dataShare), "processor_share": .number(processorShare),
      "batch_size": .integer(batchSize), "shards": .integer(plan.shards),
      "ranks": .integer(ranks), "threads": .integer(configuration.training.threads),
      "model": .text(configuration.model.kind.rawValue), "rule": .text(configuration.icp.rule.rawValue),
      "precision": .text(configuration.trainingElement.rawValue),
      "refinement_precision": .text(configuration.refinementElement.rawValue),
      "steps": .integer(plan.method.hasCyclicStage ? plan.configuration.icp.steps : 0),
      "warm_up": .integer(options.warmUp),
      "repeats": .integer(options.repeats),
      "resident_anonymous_mib": .number(mebibytes(residentAnonymous)),
      "resident_anonymous_mib_step_2": .number(mebibytes(residentAnonymousAtStepTwo)),
      "peak_resident_mib": .number(mebibytes(peakResident)),
      "versions": .text(Platform.description),
    ]).json
  }

  /// For people.
  package var text: String {
    let configuration = plan.configuration
    let images = plan.data.training.shape
    let rule =
      plan.method.hasCyclicStage
      ? "rule \(configuration.icp.rule.rawValue), T = \(configuration.icp.steps)" : "no refinement"
    let rows =
      phases.map { row("\($0.phase)", $0.seconds) } + [row("step", total)]
    let share = convolutionShare.map { ", \(percent($0)) of it bare convolutions" } ?? ""
    var lines = [
      Platform.description,
      "\(configuration.model.kind.rawValue), synthetic images of \(images), \(rule), batch \(batchSize) in \(plan.shards) "
        + "shards, \(ranks) \(ranks == 1 ? "rank" : "ranks") of \(configuration.training.threads) "
        + (configuration.training.threads == 1 ? "thread" : "threads"),
    ]
    if let precision = configuration.precisionText { lines.append(precision) }
    lines += [
      "\(counted(options.repeats, "step")) after \(options.warmUp) to warm up; milliseconds of the slowest rank", "",
      Table.text(
        header: ["phase", "median", "least", "most", "share"], rows: rows,
        alignments: [.left, .right, .right, .right, .right]), "",
      "step: \(milliseconds(total.median)) ms, spread \(percent(total.spread)) (interquartile)\(share)",
      "\(decimal(imagesPerSecond, places: 0)) images/s, \(decimal(gflops, places: 1)) GFLOP/s",
      "work: \(decimal(passes, places: 2)) forward passes, a plain step's is \(decimal(MethodPlan.plainPasses, places: 0))",
    ]
    let shard = plan.batches.schedule.shardCapacity
    if let bare = bareConvolutions {
      lines.append(
        "bare convolutions: \(milliseconds(bare[0])) ms (\(milliseconds(bare[1])) in pieces of "
          + "\(min(PieceSize.frozen(plan.network), shard)), \(milliseconds(bare[2])) in pieces of "
          + "\(min(PieceSize.training(plan.network), shard)))")
    }
    if let memory = mebibytes(residentAnonymous) {
      let second = mebibytes(residentAnonymousAtStepTwo).map { " (\(decimal($0, places: 1)) after step 2)" } ?? ""
      lines.append("memory: \(decimal(memory, places: 1)) MiB a rank\(second)")
    }
    if processorShare < 0.95 {
      lines.append(
        "WARNING: a rank had its core for \(percent(processorShare)) of the time only: other work, or another rank on it, disturbed this"
      )
    }
    return lines.joined(separator: "\n")
  }

  private func row(_ name: String, _ seconds: Measurements) -> [String] {
    [
      name, milliseconds(seconds.median), milliseconds(seconds.minimum), milliseconds(seconds.maximum),
      percent(seconds.median / total.median),
    ]
  }

  private func milliseconds(_ seconds: Double) -> String { decimal(seconds * 1e3, places: 3) }
}
