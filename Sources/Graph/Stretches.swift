/// Parts of a flat block that are counted through as if the rest were not there. Nothing here allocates after `init`.
package struct Stretches: Sendable {
  /// Ascending, none beside the next one.
  package private(set) var ranges: [Range<Int>] = []
  /// How many values lie before each range.
  private var starts: [Int] = []
  package private(set) var count = 0

  /// `parts` may come in any order, none twice.
  package init(_ parts: [Range<Int>]) {
    for part in parts.sorted(by: { $0.lowerBound < $1.lowerBound }) where !part.isEmpty {
      if let last = ranges.last, last.upperBound == part.lowerBound {
        ranges[ranges.count - 1] = last.lowerBound..<part.upperBound
      } else {
        ranges.append(part)
        starts.append(count)
      }
      count += part.count
    }
  }

  /// Goes through the values `numbers`: where some of them lie in the block, and the number of the first of these.
  package func forEach(in numbers: Range<Int>, _ body: (_ block: Range<Int>, _ first: Int) -> Void) {
    for (range, start) in zip(ranges, starts) {
      let first = max(numbers.lowerBound, start)
      let end = min(numbers.upperBound, start + range.count)
      guard first < end else { continue }
      body(range.lowerBound + first - start..<range.lowerBound + end - start, first)
    }
  }

  /// How many of them lie before `place` of the block.
  package func count(before place: Int) -> Int {
    ranges.reduce(0) { $0 + max(0, min($1.upperBound, place) - $1.lowerBound) }
  }
}
