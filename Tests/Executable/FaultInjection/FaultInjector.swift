import CFaults
import Files
import Kernels
import Runtime
import Supervision

/// Makes the fault of one rank happen, through the probe that looks into its run.
package final class FaultInjector: RunProbe {
  private let fault: Fault
  private let disk: FaultyDisk?
  private var hasStruck = false

  private init(_ fault: Fault) {
    self.fault = fault
    disk = FaultyDisk(fault)
  }

  /// Before the ranks start.
  package static func install(_ fault: Fault) {
    RunProbes.make = { rank -> any RunProbe in
      if rank == fault.rank { FaultInjector(fault) } else { NoProbe() }
    }
  }

  package func entered(_ phase: Phase, step: Int) {
    if phase == .data {
      faults_set_reduction(
        isInjected(.skip, step) ? FAULTS_SKIP : isInjected(.count, step) ? FAULTS_COUNT : FAULTS_NONE)
    }
    guard !hasStruck, fault.isDue(step: step, phase: phase) else { return }
    hasStruck = true
    fault.strike()
    disk?.strike()
  }

  package func beforeReduction(_ gradients: Tensor, step: Int) throws {
    if isInjected(.throw, step) { throw InjectedFault() }
    if isInjected(.nan, step) { gradients.pointer[gradients.count - 1] = .nan }
  }

  package func afterReduction(_ gradients: Tensor, step: Int) {
    if isInjected(.flipSum, step) { gradients.flipBit() }
  }

  package func afterOptimizer(_ parameters: Tensor, step: Int) {
    if isInjected(.bitflip, step) { parameters.flipBit() }
  }

  package var system: System { disk?.system ?? System() }

  /// As often as the step comes: after a rollback too.
  private func isInjected(_ kind: Fault.Kind, _ step: Int) -> Bool { fault.step == step && fault.kind == kind }
}
