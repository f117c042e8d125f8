/// A value of a record. One that is nil or not finite is written as null: JSON has no infinity.
package enum RecordValue: Sendable, Equatable {
  case number(Double?)
  case integer(Int)
  case list([Double])
}
