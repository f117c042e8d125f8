/// Small systems of linear equations.
package enum LeastSquares {
  /// The x >= 0 with the smallest |A x - b|^2, A by rows with a few columns: of every choice of columns that are not 0
  /// the best one whose solution has none below 0.
  package static func nonNegative(_ rows: [[Double]], _ values: [Double]) -> [Double] {
    let columns = rows[0].count
    var best = (error: values.reduce(0) { $0 + $1 * $1 }, solution: [Double](repeating: 0, count: columns))
    for choice in 1..<(1 << columns) {
      let chosen = (0..<columns).filter { choice >> $0 & 1 == 1 }
      guard let part = solve(rows.map { row in chosen.map { row[$0] } }, values), part.allSatisfy({ $0 >= 0 }) else {
        continue
      }
      var solution = [Double](repeating: 0, count: columns)
      for (place, value) in zip(chosen, part) { solution[place] = value }
      let error = zip(rows, values).reduce(0) { sum, pair in
        let difference = zip(pair.0, solution).reduce(-pair.1) { $0 + $1.0 * $1.1 }
        return sum + difference * difference
      }
      // Fewer columns win where more do not help: choices grow.
      if error < best.error * (1 - 1e-9) { best = (error, solution) }
    }
    return best.solution
  }

  /// By the normal equations, columns scaled to length 1; nil where they do not determine x.
  static func solve(_ rows: [[Double]], _ values: [Double]) -> [Double]? {
    let columns = rows[0].count
    let scales = (0..<columns).map { column in rows.reduce(0) { $0 + $1[column] * $1[column] }.squareRoot() }
    guard scales.allSatisfy({ $0 > 0 }) else { return nil }
    var matrix = (0..<columns).map { one in
      (0..<columns).map { other in rows.reduce(0) { $0 + $1[one] * $1[other] } / scales[one] / scales[other] }
        + [zip(rows, values).reduce(0) { $0 + $1.0[one] * $1.1 } / scales[one]]
    }
    for column in 0..<columns {
      let pivot = (column..<columns).max { abs(matrix[$0][column]) < abs(matrix[$1][column]) }!
      guard abs(matrix[pivot][column]) > 1e-9 else { return nil }
      matrix.swapAt(column, pivot)
      for row in 0..<columns where row != column {
        let factor = matrix[row][column] / matrix[column][column]
        for place in column...columns { matrix[row][place] -= factor * matrix[column][place] }
      }
    }
    return (0..<columns).map { matrix[$0][columns] / matrix[$0][$0] / scales[$0] }
  }
}
