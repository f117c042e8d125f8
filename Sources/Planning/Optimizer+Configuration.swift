import Configuration
import Graph
import Optimization

extension Optimizer {
  /// The optimiser that a configuration names, for a network's parameters.
  package convenience init(_ options: RunConfiguration.OptimizerSection, layout: ParameterLayout) {
    self.init(
      Method(options), weightDecay: options.weightDecay,
      decays: layout.decayRanges(matricesOnly: options.decay == .matrices), count: layout.parameterCount)
  }
}

extension Optimizer.Method {
  package init(_ options: RunConfiguration.OptimizerSection) {
    switch options.kind {
    case .adamw: self = .adamW(beta1: options.betas[0], beta2: options.betas[1], epsilon: options.epsilon)
    case .sgd: self = .sgd(momentum: options.momentum, nesterov: options.nesterov)
    }
  }
}
