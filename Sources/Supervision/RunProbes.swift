/// Which probe a rank gets.
package enum RunProbes {
  /// Set at most once, by a program's first lines, before there are other threads.
  package nonisolated(unsafe) static var make: (_ rank: Int) -> any RunProbe = { _ in NoProbe() }
}
