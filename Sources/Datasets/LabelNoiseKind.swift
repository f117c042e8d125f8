/// How labels come to be wrong (docs/METHOD.md, "Regimes").
public enum LabelNoiseKind: String, CaseIterable, Sendable {
  case none, symmetric
  case symmetricExclusive = "symmetric_exclusive"
  case asymmetric
  case pairFlip = "pair_flip"
  case file

  /// Whether `data.label_noise.rate` says how many.
  package var needsRate: Bool { self != .none && self != .file }
}
