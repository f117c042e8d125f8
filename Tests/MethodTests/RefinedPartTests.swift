import Configuration
import Datasets
import Graph
import Kernels
import Loading
import Method
import Models
import Refinement
import TestSupport
import Testing

/// `icp.fraction` and `icp.fade`, on the model and batch of training_adam.safetensors.
@Suite struct `A refinement of part of the batch` {
  private struct Outcome {
    let gradients: [UInt32]
    let perturbation: Double
    let layerLosses: [Double]
  }

  private func step(
    _ stage: Stage = .cyclic, reach: Double = 1, _ change: (inout RunConfiguration) -> Void = { _ in }
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
    let context = StepContext(epoch: 0, batchCount: size[0], stage: stage, alpha: 0.5, reach: reach)
    let result = method.differentiate(shard, context, phases: NoPhases())
    let place = try #require(result.scalars.names.firstIndex(of: "perturbation"))
    // Of a sum with zeros, a zero may lose its sign.
    return Outcome(
      gradients: result.gradients.values.map { ($0 + 0).bitPattern }, perturbation: result.scalars.means[place],
      layerLosses: zip(result.scalars.names, result.scalars.means).filter { $0.0.hasPrefix("layer_loss") }.map(\.1))
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

  @Test(arguments: [1, 0.5], PartSelection.allCases)
  func `without a step and by the student's statistics the distillation is exactly nothing`(
    fraction: Double, selection: PartSelection
  ) throws {
    let plain = try step(.plain)
    for reuses in [true, false] {
      let none = try step {
        $0.icp.steps = 0
        $0.icp.fraction = fraction
        $0.icp.select = selection
        $0.icp.reuseStudent = reuses
        $0.distillation.target = .student
      }
      #expect(none.layerLosses == [0, 0, 0])
      #expect(none.gradients == plain.gradients)
    }
  }

  /// The programs of two precisions have other steps, though they normalise as often: conversions lie between.
  @Test(.bfloat16, arguments: [false, true])
  func `the student's statistics normalise a target of another precision`(reuses: Bool) throws {
    for (student, target) in [(Precision.float32, Precision.bfloat16), (.bfloat16, .float32), (.bfloat16, .bfloat16)] {
      let none = try step {
        $0.training.precision = student
        $0.icp.precision = target
        $0.icp.steps = 0
        $0.icp.reuseStudent = reuses
        $0.distillation.target = .student
      }
      // The target's rounding, in parts of 1 - cos: bfloat16's half unit is 2^-9, and errors add up over nine layers.
      #expect(none.layerLosses.allSatisfy { student == target ? $0 == 0 : $0 > 0 && $0 < 1e-2 }, "\(none.layerLosses)")
      let moved = try step {
        $0.training.precision = student
        $0.icp.precision = target
        $0.icp.reuseStudent = reuses
        $0.distillation.target = .student
      }
      #expect(moved.perturbation > 0 && moved.layerLosses.allSatisfy(\.isFinite))
    }
  }

  @Test func `a part of which nothing is left is a plain step`() throws {
    let none = try step {
      $0.icp.fraction = 0.12
      $0.distillation.target = .student
    }
    let plain = try step(.plain)
    #expect(none.layerLosses == [0, 0, 0] && none.gradients == plain.gradients)
  }

  @Test func `the student's activations give the first gradient in any pieces`() throws {
    func moved(_ fraction: Double, _ reuses: Bool) throws -> Outcome {
      try step {
        $0.icp.rule = .sgd
        $0.icp.stepSize = 1
        $0.icp.fraction = fraction
        $0.icp.reuseStudent = reuses
      }
    }
    // All samples in pieces of four, or seven of the eight one by one.
    let (whole, part) = (try moved(1, true).perturbation, try moved(0.9, true).perturbation)
    #expect(abs(whole - part) < 0.5 * whole)
    // Batch statistics are not the running ones: another gradient, of a like size.
    let frozen = try moved(1, false).perturbation
    #expect(whole != frozen && whole > 0.2 * frozen && whole < 5 * frozen)
  }

  @Test(arguments: [
    ("icp: {reuse_student: true, objective: task}", "the student's pass is not on the images"),
    ("icp: {reuse_student: true, layer: layer2}", "is that of the image"),
    ("icp: {reuse_student: true}\nmodel: {freeze: [conv1]}", "keeps too little"),
    ("icp: {select: margin, objective: task}", "there is no student's pass to choose by"),
    ("icp: {layer: layer2}\ndistillation: {target: student}", "statistics of their own"),
    ("distillation: {teacher: ema}", "'training.ema' is none"),
    ("distillation: {teacher: ema, target: running}\ntraining: {ema: 0.9}", "goes by batch statistics"),
    ("icp: {rule: none}\ntraining: {elr: 3, mixup: 0.3}", "of one pass on it alone"),
    ("training: {pskd: 0.8}", "goes with 'icp.rule: none' alone"),
  ]) func `what does not go together is refused`(text: String, reason: String) throws {
    let error = #expect(throws: ConfigurationError.self) { try RunConfiguration(yaml: text, name: "c.yaml") }
    #expect(error?.description.contains(reason) == true, "\(String(describing: error))")
  }

  @Test(arguments: ["mixup: 0", "mixup: 0.4, mixing_until: 0", "mixup: 0.4, mixing_probability: 0"])
  func `without a mixture there is no mixed student`(training: String) throws {
    _ = try RunConfiguration(yaml: "icp: {objective: mixed}\ntraining: {mixup: 0.4}", name: "c.yaml")
    let text = "icp: {objective: mixed}\ntraining: {\(training)}"
    let error = #expect(throws: ConfigurationError.self) { try RunConfiguration(yaml: text, name: "c.yaml") }
    #expect(error?.description.contains("nothing is mixed") == true)
  }
}
