import Synchronization

/// How many pictures were read so far, for whoever waits for them on another thread.
package final class ReadingProgress: Sendable {
  private let counter = Atomic(0)

  package init() {}

  package func advance() { counter.wrappingAdd(1, ordering: .relaxed) }
  package var count: Int { counter.load(ordering: .relaxed) }
}
