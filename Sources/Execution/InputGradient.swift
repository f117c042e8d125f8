import Graph
import Kernels

/// The gradient of the images of a training pass, from what that pass has left in memory, its statistics being
/// constants (`InputGradientPlan`). Runs between a pass and its backward pass, and changes nothing that the latter
/// reads.
package final class InputGradient {
  /// Samples that run together, if they follow each other.
  package let pieceSize: Int
  private let plan: InputGradientPlan
  private let program: Program
  private let set: ProgramKernels
  private let classes: Int
  private let output: Int
  private let block: Tensor
  /// Of a piece whose samples do not follow each other.
  private let scattered: Tensor
  private let x: UnsafeMutableBufferPointer<UnsafeRawPointer?>
  private let dx: UnsafeMutableBufferPointer<UnsafeMutableRawPointer?>
  private let gathered: UnsafeMutableBufferPointer<UnsafeRawPointer?>

  init(_ kernels: TrainingKernels, _ plan: InputGradientPlan, pieceSize: Int) {
    self.plan = plan
    self.pieceSize = pieceSize
    program = kernels.program
    set = kernels.set
    classes = kernels.network.classes
    output = kernels.program.kept[kernels.network.output]!
    block = Tensor(count: plan.bytes / 4 * pieceSize)
    scattered = Tensor(count: pieceSize * program.steps[0].output.count)
    let inputs = program.steps.map(\.inputs.count).max() ?? 1
    x = .allocate(capacity: inputs)
    x.initialize(repeating: nil)
    dx = .allocate(capacity: inputs)
    dx.initialize(repeating: nil)
    gathered = .allocate(capacity: max(1, plan.sources.map(\.count).max() ?? 1))
    gathered.initialize(repeating: nil)
  }

  deinit {
    x.deallocate()
    dx.deallocate()
    gathered.deallocate()
  }

  /// Makes the kernels for pieces of these sizes, so that no step has to.
  package func prepare(_ sizes: Set<Int>) {
    for size in sizes.sorted() { for scope in [Scope.sample, .batch] { _ = set.kernels(scope, samples: size) } }
  }

  /// Of samples `first..<first + samples` of `pass`, whose loss and its gradient `seed` gives: it is told the logits
  /// and where that gradient goes. Valid until the next call.
  package func callAsFunction(
    _ pass: Source, first: Int, samples: Int,
    seed: (_ place: Int, _ count: Int, _ logits: UnsafeMutablePointer<Float>, _ gradient: UnsafeMutablePointer<Float>)
      -> Void
  ) -> UnsafeMutablePointer<Float> {
    guard let places = pass.places else {
      return gradient(pass, at: first, samples: samples) { seed(0, samples, $0, $1) }
    }
    let size = program.steps[0].output.count
    for place in 0..<samples {
      let own = gradient(pass, at: places[first + place], samples: 1) { seed(place, 1, $0, $1) }
      (scattered.pointer + place * size).update(from: own, count: size)
    }
    return scattered.pointer
  }

  /// A pass, and which of its samples are asked for.
  package struct Source {
    let pass: TrainingPass
    let images: UnsafePointer<Float>
    let parameters: UnsafePointer<Float>
    let randomness: Randomness?
    let places: UnsafePointer<Int>?

    /// What the pass was of. `places`: those of the samples in the pass, which are run one by one; nil for all of them,
    /// in their order.
    package init(
      _ pass: TrainingPass, images: UnsafePointer<Float>, parameters: UnsafePointer<Float>, randomness: Randomness?,
      places: UnsafePointer<Int>?
    ) {
      self.pass = pass
      self.images = images
      self.parameters = parameters
      self.randomness = randomness
      self.places = places
    }
  }

  private func gradient(
    _ source: Source, at first: Int, samples: Int,
    seed: (UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>) -> Void
  ) -> UnsafeMutablePointer<Float> {
    set.pack(.sample, samples: samples)
    set.pack(.batch, samples: samples)
    seed(source.pass.logits + first * classes, floats(plan.lossGradient))
    let kernels = (inPieces: set.kernels(.sample, samples: samples), atOnce: set.kernels(.batch, samples: samples))
    for action in plan.actions {
      switch action {
      case .remake(let step):
        let arguments = arguments(step, source, first, samples)
        if program.steps[step].operator.scope == .statistics {
          source.pass.statistics(step).forward(arguments)
        } else {
          (kernels.inPieces[step] ?? kernels.atOnce[step])!.forward(arguments)
        }
      case .gather(let step): gather(step, source, first, samples)
      case .differentiate(let step):
        let arguments = arguments(step, source, first, samples)
        if program.steps[step].operator.scope == .statistics {
          source.pass.statistics(step).backwardByConstants(arguments)
        } else {
          (kernels.inPieces[step] ?? kernels.atOnce[step])!.backward(arguments)
        }
      }
    }
    return floats(plan.gradients[0])
  }

  private func gather(_ step: Int, _ source: Source, _ first: Int, _ samples: Int) {
    let d = floats(plan.gradients[step])
    let isMasked = step > 0 && program.steps[step].operator.endsInReLU
    let sources = plan.sources[step]
    guard isMasked || sources.count > 1 || sources[0] != plan.gradients[step] else { return }
    for (index, offset) in sources.enumerated() { gathered[index] = UnsafeRawPointer(floats(offset)) }
    let output = program.steps[step].output
    let y = isMasked ? value(step, source, first).map { UnsafeRawPointer($0) } : nil
    Elementwise.mask(
      output.element, sources: UnsafeBufferPointer(rebasing: gathered[..<sources.count]), y: y,
      count: samples * output.count, into: d)
  }

  private func arguments(_ step: Int, _ source: Source, _ first: Int, _ samples: Int) -> Arguments {
    let inputs = program.steps[step].inputs.count
    let gradients = plan.inputGradients[step]
    for input in 0..<inputs {
      x[input] = value(program.source(step, input), source, first).map { UnsafeRawPointer($0) }
      dx[input] = gradients.isEmpty ? nil : gradients[input].map { UnsafeMutableRawPointer(floats($0)) }
    }
    var arguments = Arguments(
      samples: samples, first: first, x: UnsafeBufferPointer(rebasing: x[..<inputs]),
      dx: UnsafeBufferPointer(rebasing: dx[..<inputs]), parameters: source.parameters)
    arguments.y = value(step, source, first)
    arguments.dy = UnsafeRawPointer(floats(plan.gradients[step]))
    arguments.randomness = source.randomness
    return arguments
  }

  /// Where a step's output is read; nil where nobody does.
  private func value(_ step: Int, _ source: Source, _ first: Int) -> UnsafeMutableRawPointer? {
    switch plan.outputs[step] {
    case .images:
      UnsafeMutableRawPointer(mutating: source.images + first * program.steps[step].output.count)
    case .kept: source.pass.value(step, from: first)
    case .own(let offset): UnsafeMutableRawPointer(floats(offset))
    case nil: nil
    }
  }

  private func floats(_ offset: Int) -> UnsafeMutablePointer<Float> { block.pointer + offset / 4 * pieceSize }
}
