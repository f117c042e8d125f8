import Checkpointing
import Files
import Formats
import Foundation
import TestSupport
import Testing

/// Every system call of a save made to fail, one after another, as SQLite tests its own.
@Suite struct CheckpointFaultTests {
  private typealias Support = CheckpointSupport

  /// Saves step 2 over a good step 1 with calls failing, until a sweep's fault no longer meets a call.
  /// `check` gets the error, if the save threw.
  private func sweep(
    keep: Int, _ fault: @escaping @Sendable (_ k: Int, _ index: Int) -> Int32?,
    check: (_ store: CheckpointStore, _ run: RunDirectory, _ error: SaveError?) throws -> Void
  ) throws -> Int {
    var k = 1
    while true {
      let met = try Support.withStore(keep: keep) { store, run in
        _ = try store.save(Support.snapshot(1), step: 1, metric: 1, higherIsBetter: true)
        let faults = CallFaults { [k] index, _ in fault(k, index) }
        var caught: SaveError?
        do {
          var failing = CheckpointStore(directory: run, keep: keep, system: faults.system)
          _ = try failing.save(Support.snapshot(2), step: 2, metric: 2, higherIsBetter: true)
        } catch let error as SaveError { caught = error }
        try check(store, run, caught)
        return faults.made.count >= k
      }
      guard met else { return k - 1 }
      k += 1
    }
  }

  @Test(arguments: [1, 2])
  func `killed before any call of a save, the old or the new one loads`(keep: Int) throws {
    // After a kill nothing more takes effect: every later call fails too, those that clean up included.
    let points = try sweep(keep: keep, { k, index in index >= k ? EIO : nil }) { _, run, _ in
      let path = run.path
      // As the next start would find it; the descriptor of the "killed" run is still ours, so no new lock is taken.
      let store = CheckpointStore(directory: run, keep: keep)
      let found = try #require(try store.newestValid(), "nothing loads")
      #expect(found.skipped == [])
      #expect(Support.snapshot(found.step).tensors.allSatisfy(found.snapshot.tensors.contains))
      #expect(
        ["1", "2"].contains(
          try CheckpointStore.load(path: "\(path)/checkpoints/best.safetensors").metadata["step"]))
    }
    // open, fallocate, write, fsync, close, open, read, read, rename, directory; the same of best; prune.
    #expect(points >= 16, "\(points) calls were met")
  }

  @Test(arguments: [EIO, ENOSPC])
  func `any one call that fails is reported, costs no checkpoint and leaves no temporary file`(code: Int32)
    throws
  {
    _ = try sweep(keep: 1, { k, index in index == k ? code : nil }) { store, run, error in
      let found = try #require(try store.newestValid())
      #expect(found.skipped == [])
      if let error {
        #expect(error.exitCode == 74)
        #expect(error.description.contains(String(cString: strerror(code))), "\(error)")
      } else {
        #expect(found.step == 2)
      }
      // The removal of a temporary file can itself be the call that failed: then the next start removes it.
      #expect(try Support.names(run.checkpointsPath).filter { $0.contains(".tmp.") }.count <= 1)
    }
  }

  @Test func `a failed fsync is not tried again, and the next save is a new file`() throws {
    try Support.withStore { store, run in
      let faults = CallFaults { _, call in call == "fsync" ? EIO : nil }
      #expect(throws: SaveError.self) {
        var failing = CheckpointStore(directory: run, keep: 1, system: faults.system)
        return try failing.save(Support.snapshot(1), step: 1)
      }
      #expect(faults.made.filter { $0 == "fsync" }.count == 1)
      #expect(!faults.made.contains("rename"))
      #expect(try Support.names(run.checkpointsPath) == [])
      _ = try store.save(Support.snapshot(1), step: 1)
      #expect(try store.newestValid()?.step == 1)
    }
  }

  @Test func `a file system without hard links gets a copy as the best`() throws {
    try Support.withStore(keep: 1) { store, run in
      let faults = CallFaults { _, call in call == "link" ? EPERM : nil }
      var failing = CheckpointStore(directory: run, keep: 1, system: faults.system)
      let saved = try failing.save(Support.snapshot(1), step: 1, metric: 1, higherIsBetter: true)
      #expect(try Support.bytes(store.bestPath) == Support.bytes(saved.path))
    }
  }

  @Test func `a file system that cannot reserve space still takes a checkpoint`() throws {
    try Support.withStore { store, run in
      let faults = CallFaults { _, call in call == "posix_fallocate" ? EOPNOTSUPP : nil }
      var failing = CheckpointStore(directory: run, keep: 1, system: faults.system)
      _ = try failing.save(Support.snapshot(1), step: 1, metric: 1, higherIsBetter: true)
      #expect(try store.newestValid()?.step == 1)
    }
  }

  @Test func `on a full disk the save says so and the checkpoint before stays`() throws {
    try Support.withDirectory { path in
      guard Support.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", path])?.status == 0 else {
        print("SKIPPED: mounting a small tmpfs needs root and was refused; no real full disk was tried")
        return
      }
      defer { _ = Support.run(["umount", path]) }
      let run = try RunDirectory(path: "\(path)/run")
      var store = CheckpointStore(directory: run, keep: 2)
      func snapshot(_ step: Int) -> Snapshot {
        // 160 kB: one fits, two do not.
        let values = [Float](repeating: Float(step), count: 40_000)
        return Snapshot(tensors: [NamedTensor("w", shape: [40_000], floats: values)], metadata: [:])
      }
      _ = try store.save(snapshot(1), step: 1)
      let error = #expect(throws: SaveError.self) {
        try store.save(snapshot(2), step: 2)
      }
      #expect(error?.description.contains("No space left on device; free some space") == true)
      #expect(try store.newestValid()?.step == 1)
      #expect(try Support.names(run.checkpointsPath) == ["step-0000001.safetensors"])
    }
  }

  @Test func `a directory removed during the run is an error that says so`() throws {
    try Support.withStore { store, run in
      try FileManager.default.removeItem(atPath: run.path)
      let error = #expect(throws: SaveError.self) {
        try store.save(Support.snapshot(1), step: 1)
      }
      #expect(error?.description.contains("No such file or directory; the directory is gone") == true)
    }
  }
}
