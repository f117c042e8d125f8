import Configuration
import Graph
import Optimization

extension Optimizer {
  /// The optimiser that a configuration names, for a network's parameters.
  package convenience init(_ options: RunConfiguration.OptimizerSection, layout: ParameterLayout) {
    let method: Method
    switch options.kind {
    case .adamw: method = .adamW(beta1: options.betas[0], beta2: options.betas[1], epsilon: options.epsilon)
    case .sgd: method = .sgd(momentum: options.momentum, nesterov: options.nesterov)
    }
    self.init(
      method, weightDecay: options.weightDecay,
      decays: layout.decayRanges(matricesOnly: options.decay == .matrices), count: layout.parameterCount)
  }
}
