extension RandomStream {
  /// Puts `values` in random order: Fisher and Yates 1938, in Durstenfeld's form. Nothing is allocated.
  @inlinable
  public mutating func shuffle<Values: MutableCollection>(_ values: inout Values) where Values.Index == Int {
    let first = values.startIndex
    for last in stride(from: values.count - 1, to: 0, by: -1) {
      values.swapAt(first + last, first + integer(below: last + 1))
    }
  }

  /// `count` different entries in random order: the beginning of a shuffle that goes the other way, since it ends
  /// early.
  public mutating func choose(_ count: Int, of values: [Int]) -> [Int] {
    var values = values
    for index in 0..<count { values.swapAt(index, index + integer(below: values.count - index)) }
    return Array(values[..<count])
  }
}
