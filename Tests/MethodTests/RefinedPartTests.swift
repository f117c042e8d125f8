import Configuration
import Datasets
import Graph
import Kernels
import Loading
import Method
import Models
import TestSupport
import Testing

/// `icp.fraction` and `icp.fade`, on the model and batch of training_adam.safetensors.
@Suite struct `A refinement of part of the batch` {
  private struct Outcome {
    let gradients: [UInt32]
    let perturbation: Double
  }

  private func step(
    reach: Double = 1, _ change: (inout RunConfiguration) -> Void = { _ in }
  ) throws -> Outcome {
    let start = try Golden(fixture: "training_adam")
    var configuration = RunConfiguration()
    configuration.icp.rule = .ifgsm
    configuration.icp.steps = 1
    configuration.icp.stepSize = 0.1
    change(&configuration)
    let size = start.shape("step0.x")
    let network = try Network.make(
      .resnet8, shortcut: .projection, hidden: [], input: SampleShape(size[1], size[2], size[3]), classes: 10)
    let plan = try MethodPlan(configuration, network: network, normalization: nil)
    let model = ModelState(plan.network, seed: 0)
    try model.load(model.namedTensors.map { try start.file.tensor("model.\($0.name)").renamed($0.name) }, from: "")
    let method = TrainingMethod(plan, model: model, sizes: [size[0]])
    let shard = Shard(
      images: try start.channelsLast("step0.x"),
      shape: ImageShape(channels: size[1], height: size[2], width: size[3]), labels: try start.labels("step0.y"))
    method.begin()
    let context = StepContext(epoch: 0, batchCount: size[0], stage: .cyclic, alpha: 0.5, reach: reach)
    let result = method.differentiate(shard, context, phases: NoPhases())
    let place = try #require(result.scalars.names.firstIndex(of: "perturbation"))
    return Outcome(gradients: result.gradients.values.map(\.bitPattern), perturbation: result.scalars.means[place])
  }

  @Test func `of none is the step without refinement, of all the whole one, of half another`() throws {
    let (none, all) = (try step { $0.icp.steps = 0 }, try step())
    #expect(try step { $0.icp.fraction = 0.12 }.gradients == none.gradients)
    #expect(try step { $0.icp.fraction = 1 }.gradients == all.gradients)
    let half = try step { $0.icp.fraction = 0.5 }
    #expect(half.gradients != none.gradients && half.gradients != all.gradients)
    // Each element moves by 0.1, unless its gradient is 0.
    #expect(abs(half.perturbation - 0.1) < 1e-3)
  }

  @Test func `a faded one moves less far, and at last not at all`() throws {
    #expect(abs(try step(reach: 0.25).perturbation - 0.025) < 1e-3)
    #expect(try step(reach: 0).gradients == step { $0.icp.steps = 0 }.gradients)
  }

  @Test(arguments: [true, false]) func `without a mixture there is no mixed student`(mixes: Bool) throws {
    let text = "icp: {objective: mixed}\ntraining: {mixup: \(mixes ? 0.4 : 0)}"
    if mixes { return _ = try RunConfiguration(yaml: text, name: "c.yaml") }
    let error = #expect(throws: ConfigurationError.self) { try RunConfiguration(yaml: text, name: "c.yaml") }
    #expect(error?.description.contains("nothing is mixed") == true)
  }
}
