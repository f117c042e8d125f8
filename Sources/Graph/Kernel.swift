import Kernels

/// What computes one node for batches of one size: plans and memory of its own are made in `init`, and a pass allocates
/// nothing. One kernel may serve several networks in turn, so nothing of a forward pass stays in it for the backward
/// pass, but for a `StatisticsKernel`'s statistics.
package protocol Kernel: AnyObject {
  /// Packs what it wants to read in an order of its own; `parameters` stay as they are until the next call.
  func load(_ parameters: UnsafePointer<Float>)
  /// y from x.
  func forward(_ arguments: borrowing Arguments)
  /// dx from dy, for the inputs that want it (dx[i] is nil for the others), and the gradients of the parameters where
  /// `gradients` is given: written where the piece `isFirst`, added to otherwise; or kept until `writeGradients`.
  func backward(_ arguments: borrowing Arguments)
  /// Hands over the parameters' gradients that `backward` kept, since the piece that `beganSum`.
  func writeGradients(into gradients: UnsafeMutablePointer<Float>, adding: Bool)
}

extension Kernel {
  package func load(_ parameters: UnsafePointer<Float>) {}
  package func writeGradients(into gradients: UnsafeMutablePointer<Float>, adding: Bool) {}
}

/// A kernel whose output depends on the whole batch, piece by piece: `beginForward`, `measure` every piece,
/// `endForward`, `forward` every piece. Backward: `beginBackward`, `gather` every piece, `endBackward`, `backward`
/// every piece. Each pass of a network has one of its own.
package protocol StatisticsKernel: Kernel {
  func beginForward(_ source: StatisticsSource)
  func measure(_ arguments: borrowing Arguments)
  func endForward(_ arguments: borrowing Arguments, _ source: StatisticsSource)
  func beginBackward()
  /// d = the sum of `sources`, where y > 0 if the operator ends in a ReLU; and its part of what `backward` needs of the
  /// whole batch.
  func gather(_ sources: GradientSources, _ arguments: borrowing Arguments, into d: UnsafeMutablePointer<Float>)
  func endBackward(_ arguments: borrowing Arguments)
}

/// A kernel whose backward pass to its first input can gather: dx = (its gradient + the other sources) where y > 0, in
/// the pass over memory that it makes anyway.
package protocol MaskingKernel: Kernel {
  /// Sources beside its own that it can take; nil where it cannot.
  var maximumOtherSources: Int? { get }
  func backward(
    _ arguments: borrowing Arguments, adding sources: GradientSources, maskedBy y: UnsafePointer<Float>?,
    into dx: UnsafeMutablePointer<Float>)
}

/// The gradients that meet at a value.
package typealias GradientSources = UnsafeBufferPointer<UnsafePointer<Float>?>

/// What normalising operators normalise by.
package enum StatisticsSource {
  /// The batch's own, towards which the running ones move, where there are any.
  case batch(moving: UnsafeMutablePointer<Float>?)
  /// Running ones, as in evaluation mode; constants to the backward pass.
  case given(UnsafePointer<Float>)

  package var measures: Bool { if case .batch = self { true } else { false } }
}

/// Where a kernel finds its operands for one piece of a batch.
package struct Arguments: ~Copyable {
  /// Samples of the piece, and the first one's place in the batch.
  package var samples: Int
  package var first: Int
  package var x: UnsafeBufferPointer<UnsafeRawPointer?>
  package var y: UnsafeMutableRawPointer?
  package var dy: UnsafeRawPointer?
  package var dx: UnsafeBufferPointer<UnsafeMutableRawPointer?>
  package var parameters: UnsafePointer<Float>
  /// Nil where the parameters' gradients are not wanted.
  package var gradients: UnsafeMutablePointer<Float>?
  /// The batch's first piece; and the first piece of this kernel's size, with which a sum that it keeps begins anew.
  package var isFirst: Bool
  package var beginsSum: Bool
  package var randomness: Randomness?

  package init(
    samples: Int, first: Int, x: UnsafeBufferPointer<UnsafeRawPointer?>,
    dx: UnsafeBufferPointer<UnsafeMutableRawPointer?>, parameters: UnsafePointer<Float>
  ) {
    self.samples = samples
    self.first = first
    self.x = x
    self.dx = dx
    self.parameters = parameters
    isFirst = true
    beginsSum = true
  }

  package func input(_ index: Int = 0) -> UnsafePointer<Float> { x[index]!.assumingMemoryBound(to: Float.self) }
  package var output: UnsafeMutablePointer<Float> { y!.assumingMemoryBound(to: Float.self) }
  package var gradient: UnsafePointer<Float> { dy!.assumingMemoryBound(to: Float.self) }
  package func inputGradient(_ index: Int = 0) -> UnsafeMutablePointer<Float>? {
    dx[index]?.assumingMemoryBound(to: Float.self)
  }
}

/// The address of a training pass's random numbers: with a sample's index and a node's name it gives the same numbers
/// to every pass of a step, on any rank, in pieces of any size. Evaluation and refinement have none.
package struct Randomness {
  package var seed: Int
  package var epoch: Int
  /// Of each sample of the batch, its index in the data.
  package var samples: UnsafePointer<Int>

  package init(seed: Int, epoch: Int, samples: UnsafePointer<Int>) {
    self.seed = seed
    self.epoch = epoch
    self.samples = samples
  }
}

/// What a kernel is made from.
package struct KernelContext {
  package var name: String
  package var inputs: [Value]
  package var output: Value
  package var samples: Int
  /// Where each of the operator's variables begins in its block, in the operator's order.
  package var variables: [Int]
  /// Whether each input's gradient is wanted from the kernel.
  package var wantsGradient: [Bool]
  package var wantsParameterGradients: Bool
  package var backend: ConvolutionBackend
  package var scratch: Scratch

  package init(
    name: String, inputs: [Value], output: Value, samples: Int, variables: [Int], wantsGradient: [Bool],
    wantsParameterGradients: Bool, backend: ConvolutionBackend, scratch: Scratch
  ) {
    self.name = name
    self.inputs = inputs
    self.output = output
    self.samples = samples
    self.variables = variables
    self.wantsGradient = wantsGradient
    self.wantsParameterGradients = wantsParameterGradients
    self.backend = backend
    self.scratch = scratch
  }
}
