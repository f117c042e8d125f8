/// The end of an epoch, or of a run within one.
package struct FinishedEpoch: Sendable {
  /// From 0.
  package let number: Int
  /// Not only a part of it.
  package let isWhole: Bool
  /// The run ends here.
  package let isLast: Bool
  /// A checkpoint is where this end came from.
  package let isSaved: Bool
}
