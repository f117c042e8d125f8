import Dispatch
import Files
import Foundation
import Synchronization

/// Independent work shared by threads.
package enum Parallel {
  /// Calls `body` for each of 0..<count, in any order, on at most `threads` threads, this one among them.
  package static func run(_ count: Int, threads: Int, _ body: @Sendable (Int) -> Void) {
    guard threads > 1, count > 1 else {
      for index in 0..<count { body(index) }
      return
    }
    let next = Atomic<Int>(0)
    DispatchQueue.concurrentPerform(iterations: min(threads, count)) { _ in
      while true {
        let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
        guard index < count else { return }
        body(index)
      }
    }
  }

  /// The same for what can fail: throws the error of the lowest number that failed; what comes after it may be left
  /// out.
  package static func run(
    _ count: Int, threads: Int, _ body: @Sendable (Int) throws(FileError) -> Void
  ) throws(FileError) {
    guard threads > 1, count > 1 else {
      for index in 0..<count { try body(index) }
      return
    }
    let failure = Mutex<(index: Int, error: FileError)?>(nil)
    run(count, threads: threads) { index in
      if let first = failure.withLock({ $0?.index }), first < index { return }
      do throws(FileError) { try body(index) } catch {
        failure.withLock { first in
          if first.map({ index < $0.index }) ?? true { first = (index, error) }
        }
      }
    }
    if let error = failure.withLock({ $0?.error }) { throw error }
  }

  /// The cores that this process may use.
  package static var cores: Int { max(1, ProcessInfo.processInfo.activeProcessorCount) }
}
