import Datasets

/// Which images are held out, and whether that was said: where it was not, a run that is resumed keeps what it began
/// with.
package struct SplitChoice: Equatable, Sendable {
  package var split: ValidationSplit
  package var isSaid = false

  package init(_ split: ValidationSplit) { self.split = split }

  /// A configuration that says a default and one that leaves it out are equal.
  package static func == (left: SplitChoice, right: SplitChoice) -> Bool { left.split == right.split }
}
