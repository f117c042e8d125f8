import Configuration
import Graph
import Optimization

extension Optimizer {
  /// The optimiser that a configuration names, for what of a network's parameters trains.
  package convenience init(_ options: RunConfiguration.OptimizerSection, layout: ParameterLayout) {
    let trained = layout.parameters.filter { !$0.isFrozen }.sorted { $0.range.lowerBound < $1.range.lowerBound }
    let pieces = trained.map { entry in
      Piece(
        entry.range, decay: options.decay == .all || entry.variable.decays ? options.weightDecay : 0,
        factor: options.multiplier(of: entry.name))
    }
    self.init(Method(options), pieces: pieces, count: layout.parameterCount)
  }
}

extension RunConfiguration.OptimizerSection {
  /// Of a parameter's learning rate: that of the longest prefix of its name, or 1.
  func multiplier(of name: String) -> Double {
    let prefixes = multipliers.keys.filter { NamePrefix.covers($0, name) }
    return prefixes.max { $0.utf8.count < $1.utf8.count }.map { multipliers[$0]! } ?? 1
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
