import Checkpointing
import Formats
import Foundation
import Testing

@Suite struct CheckpointStoreTests {
  private typealias Support = CheckpointSupport

  @Test(arguments: [1, 2, 3])
  func `the newest few stay, and the best`(keep: Int) throws {
    try Support.withStore(keep: keep) { store, run in
      for (step, loss) in [(10, 3.0), (20, 1.0), (30, 2.0), (40, 1.0), (50, .nan)] {
        let saved = try store.save(Support.snapshot(step), step: step, metric: loss, higherIsBetter: false)
        #expect(saved.isBest == (step <= 20))
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
        _ = try store.save(Support.snapshot(step), step: step, metric: nil, higherIsBetter: true)
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
        _ = try store.save(Support.snapshot(step), step: step, metric: nil, higherIsBetter: true)
        try Support.write([], store.path(step: step))
      }
      let error = #expect(throws: CheckpointError.self) { try store.newestValid() }
      #expect(error?.reason.contains("step-0000001") == true)
      #expect(error?.reason.contains("step-0000002") == true)
      #expect(error?.reason.contains("--resume never") == true)
    }
  }

  @Test func `from ten million steps on checkpoints are in the order of numbers`() throws {
    try Support.withStore(keep: 2) { store, run in
      for step in [9_999_998, 9_999_999, 10_000_000, 10_000_001] {
        _ = try store.save(Support.snapshot(step), step: step, metric: nil, higherIsBetter: true)
      }
      #expect(
        try Support.names(run.checkpointsPath) == ["step-10000000.safetensors", "step-10000001.safetensors"])
      _ = try store.save(Support.snapshot(9_999_999), step: 9_999_999, metric: nil, higherIsBetter: true)
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
        _ = try store.save(Support.snapshot(step), step: step, metric: nil, higherIsBetter: true)
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
        #expect(try resumed.resume(from: found.snapshot, step: found.step) == [])
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
      let aside = try store.resume(from: CheckpointStore.load(path: store.path(step: 1)), step: 1)
      #expect(aside == [store.path(step: 2), store.path(step: 3)])
      #expect(try store.newestValid()?.step == 1)
      // Step 1 was the best when it was saved.
      #expect(try CheckpointStore.load(path: store.bestPath).metadata["step"] == "1")
      _ = try store.save(Support.snapshot(2), step: 2, metric: 0, higherIsBetter: true)
      #expect(try store.newestValid()?.step == 2)
    }
  }

  @Test func `a checkpoint lost its name as the best in a kill gets it back`() throws {
    try Support.withStore { store, run in
      let saved = try store.save(Support.snapshot(1), step: 1, metric: 1, higherIsBetter: true)
      try FileManager.default.removeItem(atPath: store.bestPath)
      _ = try store.resume(from: CheckpointStore.load(path: saved.path), step: 1)
      #expect(try CheckpointStore.load(path: store.bestPath).metadata["step"] == "1")
    }
  }
}
