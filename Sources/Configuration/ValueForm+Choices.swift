import Datasets
import Refinement

/// The values that are neither one scalar nor one list.

extension ValueForm where Value == ShardCount {
  static var shards: ValueForm {
    ValueForm<Int>.integer(from: 1, to: 65536)
      .map({ .count($0) }, back: { if case .count(let count) = $0 { count } else { nil } })
      .or(.word("auto", .auto))
  }
}

extension ValueForm where Value == Validation {
  static var validation: ValueForm {
    let count = ValueForm<Int>.integer(from: 0)
      .map({ $0 == 0 ? Validation.none : .count($0) }, back: { $0.count })
    let fraction = ValueForm<Double>.number("> 0 and < 1") { $0 > 0 && $0 < 1 }
      .map({ Validation.fraction($0) }, back: { if case .fraction(let part) = $0 { part } else { nil } })
    return count.or(fraction)
  }
}

extension ValueForm where Value == SplitChoice {
  static var split: ValueForm {
    ValueForm<ValidationSplit>.choice.map(
      { split in
        var choice = SplitChoice(split)
        choice.isSaid = true
        return choice
      }, back: \.split)
  }
}

extension Validation {
  /// nil for a fraction.
  fileprivate var count: Int? {
    switch self {
    case .none: 0
    case .count(let count): count
    case .fraction: nil
    }
  }
}

extension ValueForm where Value == ClassWeights {
  static var classWeights: ValueForm {
    ValueForm.word("none", .none)
      .or(.word("balanced", .balanced))
      .or(
        ValueForm<[Double]>.list(.notEmpty, of: .positive)
          .map({ .list($0) }, back: { if case .list(let weights) = $0 { weights } else { nil } }))
  }
}

extension ValueForm where Value == LayerWeights {
  static var layerWeights: ValueForm {
    ValueForm.word("uniform", .uniform)
      .or(.word("cosine", .cosine))
      .or(.word("cosine_increasing", .cosineIncreasing))
      .or(
        ValueForm<[Double]>.list(.notEmpty, of: .notNegative)
          .map({ .list($0) }, back: { if case .list(let weights) = $0 { weights } else { nil } }))
  }
}
