import Execution
import Graph
import Kernels
import Models
import Testing

/// Where the backward pass ends.
@Suite struct `Frozen layers` {
  private func plan(_ freeze: Freeze, taps: [String]) throws -> (plan: MemoryPlan, program: Program) {
    var network = try Network.make(
      .resnet8, shortcut: .projection, hidden: [], input: SampleShape(3, 16, 16), classes: 10)
    network.freeze = freeze
    let nodes = try network.tappedNodes(taps) + [network.output]
    let program = Lowering(network, use: .training, kept: nodes + [network.features]).program
    let kept = nodes.map { program.kept[$0]! }
    let purpose = MemoryPlan.Purpose(lossInputs: kept, wantsParameterGradients: true)
    return (
      MemoryPlan(program, schedule: PieceSchedule(program, kept: kept), kept: kept, purpose: purpose), program
    )
  }

  @Test(arguments: [false, true])
  func `cost no backward pass and keep nothing for one, taps of them neither`(fixes: Bool) throws {
    let taps = ["layer1", "layer2", "layer3"]
    let all = try plan(Freeze(), taps: taps)
    let prefixes = ["conv1", "bn1", "layer1", "layer2"]
    let frozen = try plan(Freeze(prefixes, fixesStatistics: fixes), taps: taps)
    func backward(_ plan: (plan: MemoryPlan, program: Program)) -> [String] {
      plan.program.steps.indices.filter { plan.plan.steps[$0].runsBackward }.map { plan.program.steps[$0].name }
    }
    #expect(backward(all).contains("conv1") && backward(all).contains("layer1.0.conv1"))
    #expect(
      Set(backward(frozen).map { $0.prefix(6) }).isSubset(
        of: ["layer3", "avgpool", "fc", "pooled"].map { $0.prefix(6) }))
    #expect(
      frozen.program.steps.indices.allSatisfy { step in
        frozen.plan.steps[step].runsBackward || frozen.plan.steps[step].inputGradients.allSatisfy { $0 == nil }
      })
    #expect(frozen.plan.batchBytes < all.plan.batchBytes / 2)
    // Each loss has its place all the same.
    #expect(frozen.plan.lossGradients.count == 4)
  }

  @Test func `above a layer that trains pass gradients on`() throws {
    let within = try plan(Freeze(["layer2"], fixesStatistics: true), taps: ["layer3"])
    let names = within.program.steps.indices.filter { within.plan.steps[$0].runsBackward }
      .map { within.program.steps[$0].name }
    #expect(names.contains("layer2.0.conv2") && names.contains("conv1"))
  }
}
