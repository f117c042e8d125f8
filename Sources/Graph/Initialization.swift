import Kernels

extension ParameterLayout {
  /// First values, addressed by the seed and the variable's number in the network.
  package func initialize(
    seed: Int, parameters: UnsafeMutablePointer<Float>, statistics: UnsafeMutablePointer<Float>
  ) {
    for (index, entry) in self.parameters.enumerated() { start(entry, number: index, seed: seed, in: parameters) }
    for (index, entry) in self.statistics.enumerated() { start(entry, number: index, seed: seed, in: statistics) }
  }

  private func start(_ entry: Entry, number: Int, seed: Int, in block: UnsafeMutablePointer<Float>) {
    var stream = RandomStream(seed: seed, purpose: .initialization, sample: number)
    let values = UnsafeMutableBufferPointer(start: block + entry.range.lowerBound, count: entry.range.count)
    switch entry.variable.start {
    case .constant(let value): values.update(repeating: value)
    case .normal(let deviation):
      for element in values.indices { values[element] = Float(deviation * stream.normal()) }
    case .uniform(let bound):
      for element in values.indices { values[element] = Float(stream.uniform(in: -bound...bound)) }
    }
  }
}
