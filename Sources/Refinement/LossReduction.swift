/// Which loss the inner loop goes down: `sum` gives each sample its own gradient, whatever its batch mates and the
/// number of ranks; `mean` divides by the global batch's sample count (the published form).
public enum LossReduction: String, CaseIterable, Sendable {
  case sum, mean
}
