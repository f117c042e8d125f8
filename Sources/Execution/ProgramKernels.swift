import Graph
import Kernels

/// The kernels of a program, one for each step and size of a piece, with the weights that they have packed. Networks
/// with the same weights share them, so that each weight is packed once a step.
final class ProgramKernels {
  private final class KernelSet {
    let kernels: [(any Kernel)?]
    var version = 0
    init(_ kernels: [(any Kernel)?]) { self.kernels = kernels }
  }

  let program: Program
  let layout: ParameterLayout
  private let use: Lowering.Use
  private let statistics: UnsafePointer<Float>?
  private let backend: ConvolutionBackend
  private let scratch: Scratch
  /// Whether the gradient of a step's output may be wanted.
  private let isDifferentiable: [Bool]
  private var sets: [Set: KernelSet] = [:]
  private(set) var parameters: UnsafePointer<Float>?
  private var version = 0

  private struct Set: Hashable {
    var scope: Scope
    var samples: Int
  }

  /// `wantsInputGradient`: whether the images' gradient may be asked for. `statistics`: the model's running ones.
  init(
    _ program: Program, layout: ParameterLayout, use: Lowering.Use, wantsInputGradient: Bool,
    statistics: UnsafePointer<Float>? = nil, backend: ConvolutionBackend, scratch: Scratch
  ) {
    self.program = program
    self.layout = layout
    self.use = use
    self.statistics = statistics
    self.backend = backend
    self.scratch = scratch
    var isDifferentiable: [Bool] = []
    for (index, step) in program.steps.enumerated() {
      isDifferentiable.append(
        index == 0
          ? wantsInputGradient
          : step.inputs.contains { isDifferentiable[$0] } || use == .training && program.trains(index))
    }
    self.isDifferentiable = isDifferentiable
  }

  /// Packs the weights of `parameters`, which must stay as they are until the next call, when a pass first needs them.
  func load(_ parameters: UnsafePointer<Float>) {
    self.parameters = parameters
    version += 1
  }

  /// The kernels of the steps that run in pieces of `samples`, or with the whole batch of as many; nil for the others.
  func kernels(_ scope: Scope, samples: Int) -> [(any Kernel)?] { set(scope, samples: samples).kernels }

  private func set(_ scope: Scope, samples: Int) -> KernelSet {
    let key = Set(scope: scope, samples: samples)
    if let known = sets[key] { return known }
    let made = KernelSet(
      program.steps.indices.map { step in
        program.steps[step].operator.scope == scope ? kernel(step, samples: samples) : nil
      })
    sets[key] = made
    return made
  }

  /// A new kernel of a step; nil where nothing is computed.
  func kernel(_ step: Int, samples: Int) -> (any Kernel)? {
    context(step, samples: samples).map { program.steps[step].operator.kernel($0) }
  }

  /// What the kernels of one scope take for that size, without making them.
  func memory(_ scope: Scope, samples: Int) -> MemoryUse {
    program.steps.indices.filter { program.steps[$0].operator.scope == scope }.reduce(MemoryUse()) { sum, step in
      sum + (context(step, samples: samples).map { program.steps[step].operator.memory($0) } ?? MemoryUse())
    }
  }

  private func context(_ step: Int, samples: Int) -> KernelContext? {
    guard step > 0, !program.steps[step].isView else { return nil }
    return KernelContext(
      name: program.steps[step].name, inputs: program.inputs(of: step), output: program.steps[step].output,
      samples: samples, variables: program.variables(of: step).map { layout.start(of: $0.name) },
      wantsGradient: program.steps[step].inputs.map { isDifferentiable[$0] },
      wantsParameterGradients: use == .training && program.trains(step), statistics: statistics, backend: backend,
      scratch: scratch)
  }

  /// Has the kernels of that size pack the weights that were loaded last, unless they have.
  func pack(_ scope: Scope, samples: Int) {
    guard let set = sets[Set(scope: scope, samples: samples)], set.version != version, let parameters else { return }
    set.version = version
    for kernel in set.kernels { kernel?.load(parameters) }
  }
}
