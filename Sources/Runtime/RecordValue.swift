/// A value of a record. One that is nil or not finite is written as null: JSON has no infinity.
package enum RecordValue: Sendable, Equatable {
  case number(Double?)
  case integer(Int)
  case list([Double])

  package var json: String {
    switch self {
    // Swift prints the shortest digits that read back to the same value, in a form that JSON allows.
    case .number(let number?) where number.isFinite: "\(number)"
    case .number: "null"
    case .integer(let integer): "\(integer)"
    case .list(let numbers): "[\(numbers.map { RecordValue.number($0).json }.joined(separator: ","))]"
    }
  }
}
