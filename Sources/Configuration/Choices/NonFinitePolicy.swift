/// What a step does whose loss or gradient is not finite.
package enum NonFinitePolicy: String, CaseIterable, Sendable {
  case stop, skip, rollback
}
