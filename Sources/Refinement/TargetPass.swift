/// How the features of the refined input are taken: with batch statistics, updating the running ones or not; with the
/// student's statistics of the same step; or with the running statistics.
public enum TargetPass: String, CaseIterable, Sendable {
  case batch
  case batchFrozen = "batch_frozen"
  case student
  case running
}
