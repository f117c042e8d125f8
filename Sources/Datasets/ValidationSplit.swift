/// Which training images are held out.
package enum ValidationSplit: String, CaseIterable, Sendable {
  /// Of each class its share, so that data sorted by class loses none.
  case stratified
  /// The last ones, whatever their classes.
  case end
}

extension Dataset {
  /// The data set without `held` of its images, and those; both in file order.
  func holdingOut(_ held: Int, by split: ValidationSplit) -> (rest: Dataset, held: Dataset) {
    switch split {
    case .end: return (slice(0..<count - held), slice(count - held..<count))
    case .stratified:
      var isHeld = [Bool](repeating: false, count: count)
      for (members, share) in zip(indicesByClass, shares(of: held)) {
        for index in members.suffix(share) { isHeld[index] = true }
      }
      let indices = 0..<count
      return (selecting(indices.filter { !isHeld[$0] }), selecting(indices.filter { isHeld[$0] }))
    }
  }

  /// How many of `held` images fall to each class: in proportion to its size, rounded down; what is then missing goes
  /// to the largest remainders, among equal ones to the lower class.
  private func shares(of held: Int) -> [Int] {
    let sizes = indicesByClass.map(\.count)
    var shares = sizes.map { held * $0 / count }
    let missing = held - shares.reduce(0, +)
    let remainders = sizes.map { held * $0 % count }
    let order = sizes.indices.sorted { (-remainders[$0], $0) < (-remainders[$1], $1) }
    for label in order.prefix(missing) { shares[label] += 1 }
    return shares
  }

  /// Images of each class, by the label to train on.
  package var classCounts: [Int] {
    var counts = [Int](repeating: 0, count: classes)
    for index in 0..<count where label(index) < classes { counts[label(index)] += 1 }
    return counts
  }

  /// Classes that no image has as the label to train on.
  package var emptyClasses: [Int] { classCounts.enumerated().filter { $0.element == 0 }.map(\.offset) }
}
