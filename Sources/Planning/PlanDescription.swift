import Datasets
import Foundation
import Graph
import Kernels
import Reporting
import Runtime

/// What `icp train --dry-run` prints: the resolved configuration, the layers, what a step costs and takes.
package struct PlanDescription {
  private let plan: RunPlan
  private let ranks: Int
  /// What a rank takes.
  private let memory: String

  package init(plan: RunPlan, ranks: Int, memory: String) {
    self.plan = plan
    self.ranks = ranks
    self.memory = memory
  }

  package var text: String {
    [
      plan.settledConfiguration.resolvedYAML, layers, cost, memory, "",
      "\(plan.data.training.count) training, \(plan.data.validation?.count ?? 0) validation and "
        + "\(plan.data.test?.count ?? 0) test images of \(plan.data.training.shape), \(counted(plan.network.classes, "class")); "
        + "mean \(rounded(plan.normalization.mean)), std \(rounded(plan.normalization.std))",
      plan.skippedText,
      plan.validationText,
      plan.labelNoiseText.map { "label noise: \($0)" },
      plan.configuration.precisionText.map { "precision: \($0)" },
      plan.configuration.presetText.map { "preset: \($0)" },
      plan.emptyClassesText.map { "WARNING: \($0)" },
      "\(counted(plan.configuration.training.epochs, "epoch")) of \(counted(plan.stepsPerEpoch, "step")), "
        + "\(counted(plan.shards, "shard")) on \(counted(ranks, "rank")); "
        + "\(counted(plan.cyclic.warmupEpochs, "epoch")) at the start \(plan.cyclic.warmupEpochs == 1 ? "is" : "are") plain",
      "Dry run: nothing was trained or written.",
    ].compactMap(\.self).joined(separator: "\n")
  }

  private func rounded(_ values: [Double]) -> String {
    values.map { decimal($0, places: 4) }.joined(separator: " ")
  }

  private var layers: String {
    let layout = ParameterLayout(plan.network)
    let rows = plan.network.nodes.indices.compactMap { index -> [String]? in
      let node = plan.network.nodes[index]
      let variables = plan.network.variables(of: index).filter { $0.kind == .parameter }
      let parameters = variables.reduce(0) { $0 + $1.count }
      let frozen = variables.filter { !plan.network.freeze.trains($0) }.count
      let isFrozen = frozen == 0 ? "" : frozen == variables.count ? "frozen" : "frozen in part"
      // What runs with the layer before it is no line of its own, unless it is tapped.
      let tap = plan.network.taps.first { $0.node == index && plan.taps.contains($0.name) }
      guard parameters > 0 || tap != nil || index == 0 else { return nil }
      return [
        node.name, node.operator.kind, "\(node.shape)", Table.grouped(parameters),
        decimal(Double(plan.network.operations(of: index)) / 1e6, places: 2),
        [tap.map { "tap \($0.name)" } ?? "", isFrozen].filter { !$0.isEmpty }.joined(separator: ", "),
      ]
    }
    let total = [
      "total", "", "", Table.grouped(layout.parameterCount), decimal(Double(plan.network.operations) / 1e6, places: 2),
      layout.trained.count < layout.parameterCount ? "\(Table.grouped(layout.trained.count)) of them trained" : "",
    ]
    return Table.text(
      header: ["layer", "operator", "output", "parameters", "MFLOP a sample", ""], rows: rows + [total],
      alignments: [.left, .left, .right, .right, .right, .left])
  }

  /// In forward passes, as METHOD counts.
  private var cost: String {
    let operations = Double(plan.network.operations) * Double(plan.configuration.training.batchSize)
    func work(_ passes: Double) -> String { decimal(passes * operations / 1e9, places: 1) }
    func count(_ passes: Double) -> String { decimal(passes, places: passes == passes.rounded() ? 0 : 2) }
    let plain = plan.method.passes(in: .plain)
    let cyclic = plan.method.hasCyclicStage ? plan.method.passes(in: .cyclic) : nil
    return "\na step: plain \(count(plain)) forward passes' work (\(work(plain)) GFLOP)"
      + (cyclic.map {
        "; cyclic \(count($0)) (\(work($0)) GFLOP), \(decimal($0 / plain, places: 1)) times as much"
      } ?? "; no refinement (icp.rule: none)")
  }
}
