import Files
import Synchronization

/// Counts the system calls that go through its `System`, and decides which of them fail.
package final class CallFaults: Sendable {
  private let calls = Mutex<[String]>([])
  private let decide: @Sendable (_ index: Int, _ call: String) -> Int32?

  /// - Parameter decide: of a call's number, from 1 on, and its name the error that it fails with; nil lets it through.
  package init(_ decide: @escaping @Sendable (_ index: Int, _ call: String) -> Int32?) { self.decide = decide }

  /// The names of all calls so far.
  package var made: [String] { calls.withLock(\.self) }

  package var system: System {
    System { call in
      let index = self.calls.withLock { calls in
        calls.append(call)
        return calls.count
      }
      return self.decide(index, call)
    }
  }
}
