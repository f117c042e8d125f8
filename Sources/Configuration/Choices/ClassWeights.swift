/// What the samples of a class count for in the task loss.
package enum ClassWeights: Equatable, Sendable {
  /// All alike.
  case none
  /// As much as any other class: samples / (classes that have any x samples of the class).
  case balanced
  /// One a class.
  case list([Double])

  /// Of the classes, by how many training samples each has; nil where all count alike. A class without samples counts
  /// for nothing, as far as label smoothing would have it count.
  package func values(counts: [Int]) -> [Double]? {
    switch self {
    case .none: return nil
    case .list(let weights): return weights
    case .balanced:
      let present = counts.count { $0 > 0 }
      let samples = Double(counts.reduce(0, +))
      return counts.map { $0 == 0 ? 0 : samples / (Double(present) * Double($0)) }
    }
  }
}
