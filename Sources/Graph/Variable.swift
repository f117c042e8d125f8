/// A tensor that a node owns: a parameter, which training changes by its gradient, or a running statistic. Names and
/// shapes are PyTorch's, so that a `state_dict` fits.
package struct Variable: Hashable, Sendable {
  package enum Kind: Hashable, Sendable {
    case parameter, statistic
  }

  /// The first value.
  package enum Start: Hashable, Sendable {
    case constant(Float)
    /// Normal with this standard deviation.
    case normal(Double)
    /// Uniform in +-bound.
    case uniform(Double)
  }

  package var name: String
  package var shape: [Int]
  package var kind: Kind
  package var start: Start
  /// Whether `optimizer.decay: matrices` decays it: filters and matrices.
  package var decays: Bool

  package init(_ name: String, _ shape: [Int], kind: Kind = .parameter, start: Start, decays: Bool? = nil) {
    self.name = name
    self.shape = shape
    self.kind = kind
    self.start = start
    self.decays = decays ?? (shape.count > 1)
  }

  package var count: Int { shape.reduce(1, *) }

  /// Filters (outputs, inputs, ...): normal with variance 2 / (outputs taps) (He et al. 2015, fan out).
  package static func filters(_ name: String, _ shape: [Int]) -> Variable {
    let fan = shape[0] * shape[2...].reduce(1, *)
    return Variable(name, shape, start: .normal((2 / Double(fan)).squareRoot()))
  }

  /// A dense layer's matrix (outputs, inputs), or its bias: uniform in +-1 / sqrt(inputs), PyTorch's default.
  package static func dense(_ name: String, _ shape: [Int], inputs: Int) -> Variable {
    Variable(name, shape, start: .uniform(1 / Double(inputs).squareRoot()))
  }
}
