import Graph
import Kernels

/// In training, zeros each element with a probability, and scales the others so that the mean stays; or, as stochastic
/// depth, zeros whole samples. One mask for each seed, epoch, sample and node's name: all passes of a step have the
/// same, on any rank, in pieces of any size. A pass without `Randomness` drops nothing.
package struct Dropout: TrainingOnly {
  package var rate: Double
  /// Whole samples at once: stochastic depth.
  package var isBySample: Bool

  package init(rate: Double, isBySample: Bool = false) {
    self.rate = rate
    self.isBySample = isBySample
  }

  package var kind: String { isBySample ? "StochasticDepth" : "Dropout" }
  package func shape(of inputs: [SampleShape]) throws(GraphError) -> SampleShape {
    guard rate >= 0, rate < 1 else { throw GraphError("a rate of \(rate)") }
    return inputs[0]
  }
  package var isCheap: Bool { true }
  package func export(_ x: [ExportGraph.Value], to graph: inout ExportGraph) -> String {
    // ONNX has no stochastic depth; what reads the file trains without.
    isBySample ? graph.add("Identity", x) : graph.add(kind, [x[0].name, graph.constant(Float(rate))])
  }
  package func kernel(_ context: KernelContext) -> any Kernel { DropoutKernel(self, context) }
  package func layout(of inputs: [Value], output: SampleShape) -> LayoutChoice {
    LayoutChoice(inputs: [inputs[0].order], output: inputs[0].order)
  }
}

final class DropoutKernel: Kernel {
  private let dropout: Dropout
  private let count: Int
  /// The node's name as a number.
  private let node: Int

  init(_ dropout: Dropout, _ context: KernelContext) {
    self.dropout = dropout
    count = context.output.count
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in context.name.utf8 { hash = RandomStream.mix(hash ^ UInt64(byte)) }
    node = Int(truncatingIfNeeded: hash)
  }

  func forward(_ arguments: borrowing Arguments) { drop(arguments.input(), arguments, into: arguments.output) }

  /// forward was y = x mask, so dx = dy mask.
  func backward(_ arguments: borrowing Arguments) {
    guard let dx = arguments.inputGradient() else { return }
    drop(arguments.gradient, arguments, into: dx)
  }

  private func drop(
    _ x: UnsafePointer<Float>, _ arguments: borrowing Arguments, into y: UnsafeMutablePointer<Float>
  ) {
    guard let randomness = arguments.randomness, dropout.rate > 0 else {
      y.update(from: x, count: arguments.samples * count)
      return
    }
    let scale = Float(1 / (1 - dropout.rate))
    // A uniform number below the rate, as 64 bits.
    let limit = UInt64(dropout.rate * 0x1p63) << 1
    for sample in 0..<arguments.samples {
      var stream = RandomStream(
        seed: randomness.seed ^ node, purpose: .dropout, epoch: randomness.epoch,
        sample: randomness.samples[arguments.first + sample])
      let from = x + sample * count
      let to = y + sample * count
      if dropout.isBySample {
        let factor = stream.next() < limit ? 0 : scale
        for element in 0..<count { to[element] = from[element] * factor }
      } else {
        for element in 0..<count { to[element] = stream.next() < limit ? 0 : from[element] * scale }
      }
    }
  }
}
