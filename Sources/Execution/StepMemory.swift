import Graph
import Kernels

/// Where a step's operands lie, resolved to addresses for one size of the batch, and what runs it.
final class StepMemory {
  /// Sample n of a batch at `base + n * stride`; stride 0 where there is memory for one piece alone. Without a base it
  /// is the caller's images.
  struct Address {
    var base: UnsafeMutableRawPointer?
    var stride: Int

    func at(_ first: Int, _ images: UnsafeRawPointer) -> UnsafeMutableRawPointer {
      (base ?? UnsafeMutableRawPointer(mutating: images)) + first * stride
    }
  }

  /// In the program.
  let number: Int
  /// For whole pieces, and for what is left.
  let kernels: [any Kernel]
  /// The same, where they can gather for the step they read.
  let maskingKernels: [any MaskingKernel]
  let statistics: (any StatisticsKernel)?

  let inputs: [Address]
  /// The same in the backward pass, where some are made again.
  let inputsBackward: [Address]
  let output: Address?
  let outputBackward: Address?
  let gradient: Address?
  let inputGradients: [Address?]
  /// What meets at the output, without what a loss puts in.
  let sources: [Address]
  /// What losses put in, with each loss's number.
  let lossGradients: [(loss: Int, address: Address)]
  /// Whether the gradient is zeroed where the output is not above 0.
  let isMasked: Bool
  let runsBackward: Bool
  /// Whether it has parameters whose gradients are wanted.
  let trains: Bool
  /// The step before this one whose gradient this step's kernel gathers as it writes the last part of it.
  var gathersFor: StepMemory?
  /// Whether a reader's kernel gathers this step's.
  var isGathered = false
  /// Elements of a sample of the output, and what they are.
  let count: Int
  let element: ElementType

  /// The pointers that arguments refer to.
  let x: UnsafeMutableBufferPointer<UnsafeRawPointer?>
  let dx: UnsafeMutableBufferPointer<UnsafeMutableRawPointer?>
  let gathered: UnsafeMutableBufferPointer<UnsafeRawPointer?>

  /// `step` of `program` in `blocks`, for batches of `samples`.
  init(
    _ step: Int, of program: Program, plan: MemoryPlan, blocks: Blocks, samples: Int, kernels: [any Kernel],
    statistics: (any StatisticsKernel)?
  ) {
    func address(_ place: MemoryPlan.Place, of step: Int) -> Address {
      blocks.address(place, samples: samples, bytes: program.steps[step].output.bytes)
    }
    func output(_ step: Int) -> Address? { plan.steps[step].output.map { address($0, of: step) } }
    func outputBackward(_ step: Int) -> Address? {
      plan.steps[step].remade.map { address($0, of: step) } ?? output(step)
    }
    let places = plan.steps[step]
    let sources = program.steps[step].inputs.indices.map { program.source(step, $0) }
    number = step
    self.kernels = kernels
    let masking = kernels.compactMap { $0 as? any MaskingKernel }
    maskingKernels = masking.count == kernels.count ? masking : []
    self.statistics = statistics
    inputs = sources.map { output($0)! }
    inputsBackward = sources.map { outputBackward($0)! }
    self.output = output(step)
    self.outputBackward = outputBackward(step)
    gradient = places.gradient.map { address($0, of: step) }
    inputGradients = sources.indices.map { input in
      places.inputGradients.indices.contains(input)
        ? places.inputGradients[input].map { address($0, of: sources[input]) } : nil
    }
    self.sources = places.sources.map { address($0, of: step) }
    lossGradients = places.losses.map { ($0, address(plan.lossGradients[$0], of: step)) }
    isMasked = program.steps[step].operator.endsInReLU
    runsBackward = places.runsBackward
    trains = program.trains(step)
    count = program.steps[step].output.count
    element = program.steps[step].output.element
    x = .allocate(capacity: sources.count)
    x.initialize(repeating: nil)
    dx = .allocate(capacity: sources.count)
    dx.initialize(repeating: nil)
    gathered = .allocate(capacity: max(1, places.sources.count + places.losses.count))
    gathered.initialize(repeating: nil)
  }

  deinit {
    x.deallocate()
    dx.deallocate()
    gathered.deallocate()
  }
}
