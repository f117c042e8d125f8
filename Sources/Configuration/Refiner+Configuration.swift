import Datasets
import Execution
import Refinement

extension Refiner {
  /// The refinement that a configuration asks for. `normalization` is what `icp.clamp: pixels` is measured in; without
  /// it there is no such clamp.
  package convenience init(
    _ icp: RunConfiguration.ICPSection, network: FrozenNetwork, normalization: Normalization?, capacity: Int
  ) {
    self.init(
      network: network, rule: Rule(kind: icp.rule, stepSize: Float(icp.stepSize)),
      bounds: InputBounds(
        epsilon: icp.epsilon.map { Float($0) }, pixels: icp.clamp == .pixels ? normalization?.pixelRanges : nil),
      steps: icp.refinementSteps, label: icp.label, capacity: capacity)
  }
}

extension RunConfiguration.ICPSection {
  /// T; 0 without a rule.
  package var refinementSteps: Int { rule == .none ? 0 : steps }
}
