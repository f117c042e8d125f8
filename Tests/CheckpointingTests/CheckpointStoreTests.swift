import Checkpointing
import Files
import Formats
import Foundation
import Synchronization
import TestSupport
import Testing

@Suite struct CheckpointStoreTests {
  private typealias Support = CheckpointSupport

  @Test(arguments: [1, 2, 3])
  func `the newest few stay, and the best`(keep: Int) throws {
    try Support.withStore(keep: keep) { store, run in
      for (step, loss) in [(10, 3.0), (20, 1.0), (30, 2.0), (40, 1.0), (50, .nan)] {
        let saved = try store.save(Support.snapshot(step), step: step, metric: loss, higherIsBetter: false)
        #expect(store.best?.step == min(step, 20))
        #expect(saved.warnings == [])
      }
      let newest = [10, 20, 30, 40, 50].suffix(keep).map { "step-00000\($0).safetensors" }
      #expect(try Support.names(run.checkpointsPath) == ["best.safetensors"] + newest)
      #expect(try CheckpointStore.load(path: store.bestPath).metadata["step"] == "20")
      #expect(try store.newestValid()?.step == 50)
      #expect(try store.newestValid()?.snapshot.metadata["best_metric"] == "1.0")
      #expect(try store.newestValid()?.snapshot.metadata["best_step"] == "20")
    }
  }

  @Test func `a new directory has no checkpoints, one with only the best has`() throws {
    try Support.withStore(keep: 1) { store, run in
      #expect(try !store.hasCheckpoints)
      #expect(try store.newestValid() == nil)
      let path = try store.save(Support.snapshot(1), step: 1, metric: 1, higherIsBetter: true).path
      try FileManager.default.removeItem(atPath: path)
      #expect(try store.hasCheckpoints)
      try store.removeAll()
      #expect(try !store.hasCheckpoints)
    }
  }

  @Test func `a bad newest gives way to the one before, and is named with the reason`() throws {
    try Support.withStore { store, run in
      for step in [1, 2, 3] {
        _ = try store.save(Support.snapshot(step), step: step)
      }
      let bytes = try Support.bytes(store.path(step: 3))
      try Support.write(Array(bytes.dropLast(5)), store.path(step: 3))
      // A checkpoint under another's name is not that step's.
      try FileManager.default.copyItem(atPath: store.path(step: 1), toPath: store.path(step: 4))
      symlink("step-0000001.safetensors", store.path(step: 5))
      let found = try #require(try store.newestValid())
      #expect(found.step == 2)
      #expect(found.skipped.count == 3)
      #expect(found.skipped[0].contains("step-0000005") && found.skipped[0].contains("symbolic link"))
      #expect(found.skipped[1].contains("holds step '1', not 4"))
      #expect(found.skipped[2].contains("step-0000003") && found.skipped[2].contains("cut off"))
    }
  }

  @Test func `where all are bad every one is named, and nothing starts from zero`() throws {
    try Support.withStore { store, run in
      for step in [1, 2] {
        _ = try store.save(Support.snapshot(step), step: step)
        try Support.write([], store.path(step: step))
      }
      let error = #expect(throws: FileError.self) { try store.newestValid() }
      #expect(error?.reason.contains("step-0000001") == true)
      #expect(error?.reason.contains("step-0000002") == true)
      #expect(error?.reason.contains("--resume never") == true)
    }
  }

  @Test func `from ten million steps on checkpoints are in the order of numbers`() throws {
    try Support.withStore(keep: 2) { store, run in
      for step in [9_999_998, 9_999_999, 10_000_000, 10_000_001] {
        _ = try store.save(Support.snapshot(step), step: step)
      }
      #expect(
        try Support.names(run.checkpointsPath) == ["step-10000000.safetensors", "step-10000001.safetensors"])
      _ = try store.save(Support.snapshot(9_999_999), step: 9_999_999)
      #expect(try store.newestValid()?.step == 10_000_001)
    }
  }

  @Test func `names that are not ours are left alone`() throws {
    try Support.withStore(keep: 1) { store, run in
      let foreign = [
        "step-1.safetensors", "step-00000001.safetensors", "step-000000x.safetensors", "notes.txt",
      ]
      for name in foreign { try Support.write([1], "\(run.checkpointsPath)/\(name)") }
      #expect(try !store.hasCheckpoints)
      for step in [8, 9] {
        _ = try store.save(Support.snapshot(step), step: step)
      }
      try store.removeAll()
      #expect(try Support.names(run.checkpointsPath) == foreign.sorted())
    }
  }

  @Test func `a resumed run knows its best, and leaves the files of the run never stopped`() throws {
    func bestOf(_ step: Int) -> Double { [10: 0.5, 20: 0.9, 30: 0.7, 40: 0.8][step]! }
    func save(_ steps: [Int], _ store: inout CheckpointStore) throws {
      for step in steps {
        _ = try store.save(Support.snapshot(step), step: step, metric: bestOf(step), higherIsBetter: true)
      }
    }
    try Support.withStore { unbroken, unbrokenRun in
      try save([10, 20, 30, 40], &unbroken)
      try Support.withStore { store, run in
        try save([10, 20, 30], &store)
        var resumed = CheckpointStore(directory: run, keep: 3)
        let found = try #require(try resumed.newestValid())
        #expect(try resumed.resume(from: found.snapshot, step: found.step, path: found.path) == [])
        try save([40], &resumed)
        #expect(try Support.names(run.checkpointsPath) == Support.names(unbrokenRun.checkpointsPath))
        for name in try Support.names(run.checkpointsPath) {
          let ours = try Support.bytes("\(run.checkpointsPath)/\(name)")
          #expect(try ours == Support.bytes("\(unbrokenRun.checkpointsPath)/\(name)"), "\(name)")
        }
      }
    }
  }

  @Test func `resuming from an older step sets the later ones aside`() throws {
    try Support.withStore { store, run in
      for step in [1, 2, 3] {
        _ = try store.save(Support.snapshot(step), step: step, metric: Double(step), higherIsBetter: true)
      }
      let first = store.path(step: 1)
      let aside = try store.resume(from: CheckpointStore.load(path: first), step: 1, path: first)
      #expect(aside == [store.path(step: 2), store.path(step: 3), store.bestPath])
      #expect(try store.newestValid()?.step == 1)
      // Its evaluation comes again.
      try store.judge(step: 1, metric: 1, higherIsBetter: true)
      #expect(try CheckpointStore.load(path: store.bestPath).metadata["step"] == "1")
      _ = try store.save(Support.snapshot(2), step: 2, metric: 0, higherIsBetter: true)
      #expect(try store.newestValid()?.step == 2)
    }
  }

  @Test func `a checkpoint lost its name as the best in a kill gets it back`() throws {
    try Support.withStore { store, run in
      _ = try store.save(Support.snapshot(1), step: 1, metric: 1, higherIsBetter: true)
      let saved = try store.save(Support.snapshot(2), step: 2)
      try FileManager.default.removeItem(atPath: store.bestPath)
      _ = try store.resume(from: CheckpointStore.load(path: saved.path), step: 2, path: saved.path)
      #expect(try CheckpointStore.load(path: store.bestPath).metadata["step"] == "1")
    }
  }

  @Test(arguments: [1, 2])
  func `killed between a save and its evaluation, the best is the one that the metric chooses`(keep: Int) throws {
    try Support.withStore(keep: keep) { store, run in
      _ = try store.save(Support.snapshot(1), step: 1, metric: 1, higherIsBetter: true)
      let saved = try store.save(Support.snapshot(2), step: 2)
      func best() throws -> String? { try CheckpointStore.load(path: store.bestPath).metadata["step"] }
      for (metric, chosen) in [(0.5, "1"), (2.0, "2"), (2.0, "2")] {
        var resumed = CheckpointStore(directory: run, keep: keep)
        let aside = try resumed.resume(from: CheckpointStore.load(path: saved.path), step: 2, path: saved.path)
        #expect(aside == [])
        #expect(resumed.best?.step == 1)
        try resumed.judge(step: 2, metric: metric, higherIsBetter: true)
        #expect(try best() == chosen)
      }
      // Where the best alone is left, a run that goes on from it keeps it.
      try FileManager.default.removeItem(atPath: saved.path)
      var resumed = CheckpointStore(directory: run, keep: keep)
      let path = store.bestPath
      #expect(try resumed.resume(from: CheckpointStore.load(path: path), step: 2, path: path) == [])
      try resumed.judge(step: 2, metric: 2, higherIsBetter: true)
      #expect(try best() == "2")
    }
  }

  @Test func `a best that could not be named stays, and the next save names it`() throws {
    try Support.withDirectory { path in
      let run = try RunDirectory(path: "\(path)/run")
      let isFull = Mutex(false)
      let faults = CallFaults { _, call in isFull.withLock(\.self) && call == "link" ? ENOSPC : nil }
      var store = CheckpointStore(directory: run, keep: 1, system: faults.system)
      _ = try store.save(Support.snapshot(1), step: 1)
      isFull.withLock { $0 = true }
      #expect(throws: SaveError.self) { try store.judge(step: 1, metric: 1, higherIsBetter: true) }
      _ = try store.save(Support.snapshot(2), step: 2)
      #expect(try Support.names(run.checkpointsPath) == ["step-0000001.safetensors", "step-0000002.safetensors"])
      isFull.withLock { $0 = false }
      _ = try store.save(Support.snapshot(3), step: 3)
      #expect(try CheckpointStore.load(path: store.bestPath).metadata["step"] == "1")
      #expect(try Support.names(run.checkpointsPath) == ["best.safetensors", "step-0000003.safetensors"])
    }
  }

  @Test func `a checkpoint of another run's directory is not this one's best`() throws {
    try Support.withStore { other, _ in
      let found = try other.save(Support.snapshot(1), step: 1).path
      try Support.withStore { store, run in
        _ = try store.resume(from: CheckpointStore.load(path: found), step: 1, path: found)
        try store.judge(step: 1, metric: 1, higherIsBetter: true)
        #expect(try Support.names(run.checkpointsPath) == [])
        #expect(store.best == nil)
      }
    }
  }
}
