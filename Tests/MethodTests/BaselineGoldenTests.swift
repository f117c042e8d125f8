import Configuration
import Datasets
import Foundation
import Graph
import Kernels
import Loading
import Method
import Models
import Refinement
import TestSupport
import Testing

/// One step of each baseline against PyTorch (`baselines` in make_fixtures.py), on the model and batch of
/// training_adam.safetensors. Losses agree within 1e-4, gradients and their norms within 1e-3, statistics within 1e-4,
/// as in `Cyclic steps`.
@Suite struct `A step of a baseline` {
  @Test(arguments: ConvolutionBackend.allCases)
  func `mixup: loss and gradients are PyTorch's`(backend: ConvolutionBackend) throws {
    try compare("mixup", backend, position: 3) {
      $0.training.mixup = 1
      $0.training.labelSmoothing = 0.1
    }
  }

  @Test(arguments: ConvolutionBackend.allCases)
  func `CutMix: loss and gradients are PyTorch's`(backend: ConvolutionBackend) throws {
    try compare("cutmix", in: "cutmix", backend, position: 9) {
      $0.training.cutmix = 1
      $0.training.labelSmoothing = 0.1
    }
  }

  @Test(arguments: ConvolutionBackend.allCases)
  func `a mixed student with refined targets: losses, gradients and statistics are PyTorch's`(
    backend: ConvolutionBackend
  ) throws {
    try compare("refined", in: "mixed", backend, strength: 0.7, isCyclic: true, position: 3) {
      $0.training.mixup = 1
      $0.icp.rule = .sgd
      $0.icp.objective = .mixed
      $0.icp.stepSize = 4
      $0.icp.steps = 1
      $0.icp.reduction = .mean
      $0.distillation.temperature = 2
      $0.distillation.features = 0.5
    }
  }

  @Test(arguments: ConvolutionBackend.allCases)
  func `its twin without refinement: losses, gradients and statistics are PyTorch's`(
    backend: ConvolutionBackend
  ) throws {
    try compare("plain", in: "mixed", backend, strength: 0.7, isCyclic: true, position: 9) {
      $0.training.cutmix = 1
      $0.icp.rule = .adam
      $0.icp.objective = .mixed
      $0.icp.steps = 0
      $0.distillation.temperature = 2
      $0.distillation.features = 0.5
    }
  }

  @Test(arguments: ConvolutionBackend.allCases)
  func `soft targets, refined down the predicted label: losses, gradients and statistics are PyTorch's`(
    backend: ConvolutionBackend
  ) throws {
    // The two labels differ for some of the images.
    #expect(try Golden(fixture: "soft").labels("soft.wrong")[0] > 0)
    try compare("soft", in: "soft", backend, alpha: 0.4, strength: 0.6, isCyclic: true) {
      $0.icp.rule = .sgd
      $0.icp.objective = .soft
      $0.icp.label = .predicted
      $0.icp.stepSize = 4
      $0.icp.steps = 1
      $0.icp.reduction = .mean
      $0.distillation.temperature = 2
    }
  }

  @Test(arguments: ConvolutionBackend.allCases)
  func `late refinement: losses, gradients and statistics are PyTorch's`(backend: ConvolutionBackend) throws {
    try compare("late", in: "late", backend, alpha: 0.6, isCyclic: true) {
      $0.icp.rule = .sgd
      $0.icp.layer = "layer2"
      $0.icp.stepSize = 400
      $0.icp.steps = 1
      $0.icp.reduction = .mean
    }
  }

  @Test(arguments: ConvolutionBackend.allCases)
  func `a first gradient from the student's activations, its statistics for the target: all are PyTorch's`(
    backend: ConvolutionBackend
  ) throws {
    try compare("whole", in: "reused", backend, alpha: 0.6, isCyclic: true) {
      $0.icp.rule = .sgd
      $0.icp.stepSize = 4
      $0.icp.steps = 2
      $0.icp.reduction = .mean
      $0.icp.reuseStudent = true
      $0.distillation.target = .student
    }
  }

  @Test(arguments: ConvolutionBackend.allCases)
  func `the same of the half with the smallest margins, distilled alone: all are PyTorch's`(
    backend: ConvolutionBackend
  ) throws {
    try compare("part", in: "reused", backend, alpha: 0.6, isCyclic: true) {
      $0.icp.rule = .sgd
      $0.icp.stepSize = 4
      $0.icp.steps = 1
      $0.icp.reduction = .mean
      $0.icp.reuseStudent = true
      $0.icp.fraction = 0.5
      $0.icp.select = .margin
      $0.distillation.target = .student
    }
  }

  @Test(arguments: ["elr", "pskd"], ConvolutionBackend.allCases)
  func `what is remembered of images: loss and gradients of their second visit are PyTorch's`(
    name: String, backend: ConvolutionBackend
  ) throws {
    let (golden, start) = (try Golden(fixture: "remembered"), try Golden(fixture: "training_adam"))
    var configuration = RunConfiguration()
    configuration.kernels.convolution = backend
    configuration.icp.rule = .none
    if name == "elr" { configuration.training.elr = 3 } else { configuration.training.pskd = 0.8 }
    let size = start.shape("step0.x")
    let network = try Network.make(
      .resnet8, shortcut: .projection, hidden: [],
      input: SampleShape(size[1], size[2], size[3]), classes: 10)
    let plan = try MethodPlan(configuration, network: network, normalization: nil, images: size[0])
    let model = ModelState(plan.network, seed: 0)
    try model.load(model.namedTensors.map { try start.file.tensor("model.\($0.name)").renamed($0.name) }, from: "")
    let method = TrainingMethod(plan, model: model, sizes: [size[0]])
    // The share of the label that the second visit has, in the script.
    let context = StepContext(epoch: 1, batchCount: size[0], stage: .plain, alpha: name == "elr" ? 1 : 0.6)
    var result: ShardResult!
    // A step that is refused leaves nothing behind.
    for (visit, isTaken) in [("step1.x", false), ("step0.x", true), ("step1.x", true)] {
      let shard = Shard(
        images: try start.channelsLast(visit), shape: ImageShape(channels: size[1], height: size[2], width: size[3]),
        labels: try start.labels("step0.y"))
      method.begin()
      result = method.differentiate(shard, context, phases: NoPhases())
      if isTaken { method.commit() }
    }
    #expect(abs(result.scalars.taskLoss - (try golden.scalar("\(name).loss"))) < 1e-4 * result.scalars.taskLoss)
    let place = try #require(result.scalars.names.firstIndex(of: "\(name)_loss"))
    let expected = try golden.scalar("\(name).\(name)_loss")
    #expect(abs(result.scalars.means[place] - expected) < 1e-4 * abs(expected))
    for entry in model.layout.parameters {
      let ours = result.gradients.values[entry.range]
      let norm = try golden.scalar("\(name).norm.\(entry.name)")
      let own = ours.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
      #expect(abs(own - norm) < 1e-3 * norm, "\(entry.name): \(own), expected \(norm)")
    }
  }

  @Test(arguments: ConvolutionBackend.allCases)
  func `sharpness-aware minimisation: loss, gradients and statistics are PyTorch's`(
    backend: ConvolutionBackend
  ) throws {
    try compare("sam", backend) { $0.optimizer.samRho = 0.05 }
  }

  @Test(arguments: ConvolutionBackend.allCases)
  func `adversarial training: loss, gradients and statistics are PyTorch's`(backend: ConvolutionBackend) throws {
    try compare("adversarial", backend, isCyclic: true) {
      $0.icp.rule = .sgd
      $0.icp.objective = .task
      $0.icp.stepSize = 0.4
      $0.icp.steps = 2
      $0.icp.reduction = .mean
    }
  }

  @Test(arguments: ConvolutionBackend.allCases)
  func `the authors' stray gradient comes on top of the cyclic step's`(backend: ConvolutionBackend) throws {
    try compare("stray", backend, alpha: 0.9, isCyclic: true) {
      $0.icp.rule = .adam
      $0.icp.reduction = .mean
      $0.icp.strayGradient = true
    }
  }

  @Test(arguments: ConvolutionBackend.allCases)
  func `branches: losses and gradients, of their own layers too, are PyTorch's`(
    backend: ConvolutionBackend
  ) throws {
    try compare("branches", backend) {
      $0.branches.taps = ["layer1", "layer2"]
      $0.branches.features = 0.1
    }
  }

  private func compare(
    _ name: String, in fixture: String = "baselines", _ backend: ConvolutionBackend, alpha: Double = 1,
    strength: Double = 1, isCyclic: Bool = false, position: Int = 0,
    _ change: (inout RunConfiguration) -> Void
  ) throws {
    let (golden, start) = (try Golden(fixture: fixture), try Golden(fixture: "training_adam"))
    var configuration = RunConfiguration()
    configuration.kernels.convolution = backend
    configuration.icp.rule = .none
    change(&configuration)
    let size = start.shape("step0.x")
    let network = try Network.make(
      .resnet8, shortcut: .projection, hidden: [],
      input: SampleShape(size[1], size[2], size[3]), classes: 10)
    let plan = try MethodPlan(configuration, network: network, normalization: nil)
    let model = ModelState(plan.network, seed: 0)
    for entry in model.layout.parameters {
      // Branches begin as in the script.
      let values =
        start.has("model.\(entry.name)")
        ? try start.floats("model.\(entry.name)")
        : (1...entry.range.count).map { Float(0.2 * sin(Double($0))) }
      _ = model.parameters.values[entry.range].update(fromContentsOf: values)
    }
    for entry in model.layout.statistics {
      _ = model.statistics.values[entry.range].update(fromContentsOf: try start.floats("model.\(entry.name)"))
    }
    let before = model.parameters.values.map(\.bitPattern)
    let method = TrainingMethod(plan, model: model, sizes: [size[0]])
    let context = StepContext(
      epoch: 0, position: position, batchCount: size[0], stage: isCyclic ? .cyclic : .plain, alpha: alpha,
      strength: strength)
    let shard = Shard(
      images: try start.channelsLast("step0.x"),
      shape: ImageShape(channels: size[1], height: size[2], width: size[3]), labels: try start.labels("step0.y"))

    // Twice, since nothing of the first may be left for the second.
    var result: ShardResult!
    for _ in 0..<2 {
      method.begin()
      result = method.differentiate(shard, context, phases: NoPhases())
      let loss = try golden.scalar("\(name).loss")
      #expect(abs(result.scalars.taskLoss - loss) < 1e-4 * loss)
      for (scalar, own) in zip(result.scalars.names, result.scalars.means) where golden.has("\(name).\(scalar)") {
        let expected = try golden.scalar("\(name).\(scalar)")
        #expect(abs(own - expected) < 1e-4 * expected, "\(scalar): \(own), expected \(expected)")
      }
    }
    #expect(model.parameters.values.map(\.bitPattern) == before)
    for entry in model.layout.parameters {
      let ours = result.gradients.values[entry.range]
      let norm = try golden.scalar("\(name).norm.\(entry.name)")
      let own = ours.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
      #expect(abs(own - norm) < 1e-3 * norm, "\(entry.name): \(own), expected \(norm)")
      guard golden.has("\(name).grad.\(entry.name)") else { continue }
      #expect(Distance.relative(ours, try golden.floats("\(name).grad.\(entry.name)")) < 1e-3, "\(entry.name)")
    }
    for entry in model.layout.statistics where golden.has("\(name).after.\(entry.name)") {
      let distance = Distance.maximum(
        result.statistics.values[entry.range], try golden.floats("\(name).after.\(entry.name)"))
      #expect(distance < 1e-4, "\(entry.name)")
    }
  }
}
