import Checkpointing
import Foundation
import Runtime
import Synchronization
import TestSupport
import Testing

/// Saves in the background: what the main thread waits for, and what it learns.
@Suite(.timeLimit(.minutes(1))) struct CheckpointWriterTests {
  private typealias Support = CheckpointSupport

  /// A writer into a new run directory, whose file calls `decide` may fail or hold up.
  private func withWriter<Value>(
    keep: Int = 3, _ decide: @escaping @Sendable (_ index: Int, _ call: String) -> Int32? = { _, _ in nil },
    _ body: (CheckpointWriter, RunDirectory, CallFaults) throws -> Value
  ) throws -> Value {
    try Support.withDirectory { path in
      let run = try RunDirectory(path: "\(path)/run")
      let faults = CallFaults(decide)
      let store = CheckpointStore(directory: run, keep: keep, system: faults.system)
      return try body(CheckpointWriter(store, in: run), run, faults)
    }
  }

  private func begin(_ step: Int, _ writer: CheckpointWriter) {
    writer.begin(step: step) { Support.snapshot(step) }
  }

  @Test func `a disk that does not answer holds up the next save, not the training`() throws {
    let disk = Gate()
    try withWriter({ _, call in
      if call == "fsync" { disk.pass() }
      return nil
    }) { writer, run, faults in
      begin(1, writer)
      disk.waitForVisitor()
      // The main thread is here while fsync is under way.
      #expect(writer.outcomes(waits: false).isEmpty)
      #expect(try Support.names(run.checkpointsPath).allSatisfy { $0.contains(".tmp.") })

      let began = Mutex(false)
      let done = DispatchSemaphore(value: 0)
      Thread {
        self.begin(2, writer)
        began.withLock { $0 = true }
        done.signal()
      }.start()
      // As long as the first is under way the second cannot have begun, however long one waits; a little is enough to
      // show a writer that takes two.
      usleep(20_000)
      #expect(began.withLock { !$0 })
      disk.open()
      done.wait()
      #expect(writer.outcomes(waits: true).map(\.step) == [1, 2])
      let newest = try writer.withStore { try $0.newestValid() }
      #expect(newest?.step == 2)
    }
  }

  @Test(arguments: [1, 2])
  func `killed before any call of a save in the background, the old or the new one loads`(keep: Int) throws {
    try sweep(keep: keep, fails: { k, index in index >= k })
  }

  @Test func `any one call that fails is an outcome, and costs neither checkpoint nor the next save`() throws {
    try sweep(keep: 1, fails: { k, index in index == k })
  }

  /// Saves step 2 over a good step 1, with failing calls, until no call is left to fail; then, healthy again, step 3.
  private func sweep(keep: Int, fails: @escaping @Sendable (_ k: Int, _ index: Int) -> Bool) throws {
    var k = 1
    var met = true
    while met {
      // Calls are counted from the second save on.
      let armed = Mutex<Int?>(nil)
      try withWriter(
        keep: keep,
        { [k] index, _ in
          armed.withLock { start in start.map { fails(k, index - $0) ? EIO : nil } ?? nil }
        }
      ) { writer, run, faults in
        begin(1, writer)
        _ = writer.outcomes(waits: true)
        let before = faults.made.count
        armed.withLock { $0 = before }
        begin(2, writer)
        let outcome = try #require(writer.outcomes(waits: true).first)
        met = faults.made.count - before >= k
        armed.withLock { $0 = nil }
        #expect(outcome.step == 2)
        let newest = try #require(try CheckpointStore(directory: run, keep: keep).newestValid(), "nothing loads")
        #expect(newest.skipped == [])
        if case .failure(let error) = outcome.result {
          #expect(ExitCode.of(error) == 74)
          #expect("\(error)".contains("Input/output error"))
        } else {
          #expect(newest.step == 2)
        }
        begin(3, writer)
        guard case .success(let saved?)? = writer.outcomes(waits: true).first?.result else {
          Issue.record("the next save failed")
          return
        }
        #expect(saved.path.hasSuffix("step-0000003.safetensors"))
      }
      k += 1
    }
    #expect(k > 10, "\(k - 1) calls were met")
  }

  @Test func `what cannot be made into a checkpoint is the save's failure`() throws {
    try withWriter { writer, run, faults in
      writer.begin(step: 1) { throw UsageError("no") }
      guard case .failure(let error)? = writer.outcomes(waits: true).first?.result else {
        Issue.record("no failure")
        return
      }
      #expect("\(error)" == "no")
      #expect(faults.made.isEmpty)
    }
  }

  @Test func `a writer that goes lets its save end`() throws {
    try Support.withDirectory { path in
      let run = try RunDirectory(path: "\(path)/run")
      var writer: CheckpointWriter? = CheckpointWriter(CheckpointStore(directory: run, keep: 1), in: run)
      begin(1, writer!)
      writer = nil
      #expect(try CheckpointStore(directory: run, keep: 1).newestValid()?.step == 1)
    }
  }

  /// Holds visitors up until it is opened.
  private final class Gate: @unchecked Sendable {
    private let condition = NSCondition()
    private var isOpen = false
    private var visitors = 0

    func pass() {
      condition.withLock {
        visitors += 1
        condition.broadcast()
        while !isOpen { condition.wait() }
      }
    }

    func waitForVisitor() { condition.withLock { while visitors == 0 { condition.wait() } } }

    func open() {
      condition.withLock {
        isOpen = true
        condition.broadcast()
      }
    }
  }
}
