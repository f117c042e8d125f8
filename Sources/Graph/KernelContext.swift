import Kernels

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
  /// The model's running statistics, for what goes by them as they are; nil where no kernel is to run.
  package var statistics: UnsafePointer<Float>?
  package var backend: ConvolutionBackend
  package var scratch: Scratch

  package init(
    name: String, inputs: [Value], output: Value, samples: Int, variables: [Int], wantsGradient: [Bool],
    wantsParameterGradients: Bool, statistics: UnsafePointer<Float>? = nil, backend: ConvolutionBackend,
    scratch: Scratch
  ) {
    self.name = name
    self.inputs = inputs
    self.output = output
    self.samples = samples
    self.variables = variables
    self.wantsGradient = wantsGradient
    self.wantsParameterGradients = wantsParameterGradients
    self.statistics = statistics
    self.backend = backend
    self.scratch = scratch
  }
}
