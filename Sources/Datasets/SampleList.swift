/// Numbers of samples in an order: a run of them, which takes no memory, or any.
struct SampleList: Sendable {
  let count: Int
  private let start: Int
  private let listed: [Int32]?

  init(_ range: Range<Int>) { (start, count, listed) = (range.lowerBound, range.count, nil) }

  private init(_ listed: [Int32]) { (start, count, self.listed) = (0, listed.count, listed) }

  subscript(index: Int) -> Int { listed.map { Int($0[index]) } ?? start + index }

  func slice(_ range: Range<Int>) -> SampleList {
    listed.map { SampleList(Array($0[range])) }
      ?? SampleList(start + range.lowerBound..<start + range.upperBound)
  }

  /// Entry i is this list's entry `indices[i]`.
  func selecting(_ indices: [Int]) -> SampleList { SampleList(indices.map { Int32(self[$0]) }) }
}
