import Foundation

/// Writes checkpoints on a thread of its own, one at a time, so that training waits for the copy of its state alone.
///
/// The thread touches files, never MPI. It holds the run directory, so that the lock outlives the last save.
package final class CheckpointWriter: Sendable {
  /// How a save ended.
  package struct Outcome: Sendable {
    package let step: Int
    /// Nil of what saved nothing, but named the best.
    package let result: Result<CheckpointStore.Saved?, any Error>
  }

  private let exchange: Exchange

  package init(_ store: CheckpointStore, in directory: RunDirectory) {
    exchange = Exchange(store, directory)
    let thread = Thread { [exchange] in
      Thread.current.name = "icp checkpoints"  // for top -H; a name given before the start is lost on Linux
      exchange.work()
    }
    thread.start()
  }

  /// Lets a save under way end, but not for ever: what ends the run must be said within seconds, on a disk that hangs
  /// too. A save that is cut off costs no earlier checkpoint.
  deinit { exchange.stop(patience: 3) }

  /// Hands a save over and returns; first waits for the one under way, so there are never two.
  /// - Parameter snapshot: makes what is saved, on the writer's thread; what it throws is the save's failure.
  package func begin(step: Int, snapshot: @escaping @Sendable () throws -> Snapshot) {
    exchange.begin(Job(step: step) { store in try store.save(snapshot(), step: step) })
  }

  /// Names the checkpoint of `step` the best, where it is, in turn with the saves (`CheckpointStore.judge`).
  package func judge(step: Int, metric: Double, higherIsBetter: Bool) {
    exchange.begin(
      Job(step: step) { store in
        try store.judge(step: step, metric: metric, higherIsBetter: higherIsBetter)
        return nil
      })
  }

  /// The outcomes that were not taken yet, in the order of their saves.
  /// - Parameter waits: lets the save under way end first.
  package func outcomes(waits: Bool) -> [Outcome] { exchange.outcomes(waits: waits) }

  /// The store, once no save is under way.
  package func withStore<Value>(_ body: (inout CheckpointStore) throws -> Value) rethrows -> Value {
    try exchange.withStore(body)
  }

  private struct Job: Sendable {
    let step: Int
    let work: @Sendable (inout CheckpointStore) throws -> CheckpointStore.Saved?
  }

  /// Who may touch the store: the writer's thread while there is a job, else the caller.
  private final class Exchange: @unchecked Sendable {
    private let condition = NSCondition()
    private let directory: RunDirectory
    private var store: CheckpointStore
    private var job: Job?
    private var ended: [Outcome] = []
    private var stopping = false

    init(_ store: CheckpointStore, _ directory: RunDirectory) { (self.store, self.directory) = (store, directory) }

    func begin(_ next: Job) {
      condition.withLock {
        while job != nil { condition.wait() }
        job = next
        condition.broadcast()
      }
    }

    func outcomes(waits: Bool) -> [Outcome] {
      condition.withLock {
        while waits, job != nil { condition.wait() }
        // Asked for at every step: nothing is made where there is none.
        guard !ended.isEmpty else { return [] }
        defer { ended = [] }
        return ended
      }
    }

    func withStore<Value>(_ body: (inout CheckpointStore) throws -> Value) rethrows -> Value {
      try condition.withLock {
        while job != nil { condition.wait() }
        return try body(&store)
      }
    }

    func stop(patience: Double) {
      condition.withLock {
        stopping = true
        condition.broadcast()
        let deadline = Date(timeIntervalSinceNow: patience)
        while job != nil, condition.wait(until: deadline) {}
      }
    }

    func work() {
      while let job = next() {
        let result = Result { [self] in try job.work(&store) }
        condition.withLock {
          ended.append(Outcome(step: job.step, result: result))
          self.job = nil
          condition.broadcast()
        }
      }
    }

    /// Nil at the end, once nothing is left to save.
    private func next() -> Job? {
      condition.withLock {
        while job == nil, !stopping { condition.wait() }
        return job
      }
    }
  }
}
