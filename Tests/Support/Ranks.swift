import Foundation
import Testing

/// Whether tests may start more ranks than one. `launch/test --quick` leaves out those that do: they take most of the
/// time, and need the machine for themselves.
package enum Ranks {
  package static let areStarted = ProcessInfo.processInfo.environment["ICP_TEST_RANKS"] != "none"
}

extension Trait where Self == ConditionTrait {
  /// A test, or a suite of tests, that starts ranks.
  package static var ranks: Self { .enabled(if: Ranks.areStarted, "launch/test --quick starts no ranks") }

  /// A test of one process that takes longer than somebody who changes code will wait: more than about 5 s.
  package static var long: Self { .enabled(if: Ranks.areStarted, "launch/test --quick leaves out what takes long") }
}
