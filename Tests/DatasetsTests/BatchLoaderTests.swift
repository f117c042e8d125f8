import Datasets
import Foundation
import Loading
import Testing

@Suite struct BatchLoaderTests {
  /// A batch's part, copied out of the loader's memory.
  private struct Copy: Equatable {
    let epoch, position, batchCount, shard: Int
    let share: Double
    let samples: [Int]
    let labels: [Int32]
    let pixels: [Float]
  }

  private func copies(_ batch: Batch) -> [Copy] {
    batch.shards.map { shard in
      Copy(
        epoch: batch.epoch, position: batch.position, batchCount: batch.count, shard: shard.index,
        share: shard.share,
        samples: Array(shard.samples), labels: Array(shard.labels),
        pixels: Array(shard.images.values[..<(shard.count * 3072)]))
    }
  }

  private func source(
    _ images: Dataset, batchSize: Int = 7, shards: Int = 4, shuffle: Bool = true, seed: Int = 3
  ) -> BatchSource {
    BatchSource(
      dataset: images, normalization: try! Normalization.computed(on: images), augmentations: [.padCrop, .flip],
      seed: seed,
      shuffle: shuffle, batchSize: batchSize, shards: shards)
  }

  private func take(
    _ count: Int, _ source: BatchSource, shards: Range<Int>, epoch: Int = 0, position: Int = 0
  ) -> [[Copy]] {
    let loader = BatchLoader(source, shards: shards, epoch: epoch, position: position)
    defer { loader.stop() }
    return (0..<count).map { _ in copies(try! loader.next()) }
  }

  @Test(arguments: [1, 2, 3, 4])
  func `the ranks' shards together are the same bytes at any number of ranks`(ranks: Int) throws {
    let source = source(try randomImages(25))  // batches of 7, 7, 7 and 4 samples in 4 shards
    let alone = take(10, source, shards: 0..<4)
    let parts = (0..<ranks).map { rank in
      take(10, source, shards: ShardPlan.shards(ofRank: rank, of: ranks, shards: 4))
    }
    for batch in 0..<10 {
      #expect(parts.flatMap { $0[batch] } == alone[batch])
    }
  }

  @Test func `resuming in the middle of an epoch gives the batches of the run that was never stopped`() throws {
    let source = source(try randomImages(25))
    let whole = take(12, source, shards: 0..<4)
    for start in 0..<10 {
      #expect(
        take(2, source, shards: 0..<4, epoch: start / 4, position: start % 4)
          == Array(whole[start..<start + 2]))
    }
  }

  @Test func `each sample comes once an epoch, with its label, in another order each epoch`() throws {
    let images = try randomImages(25)
    let batches = take(12, source(images), shards: 0..<4)
    let epochs = (0..<3).map { epoch in batches[(4 * epoch)..<(4 * epoch + 4)].flatMap { $0 } }
    for (number, epoch) in epochs.enumerated() {
      #expect(epoch.flatMap(\.samples).sorted() == Array(0..<25))
      #expect(epoch.allSatisfy { $0.epoch == number })
      for part in epoch { #expect(part.labels.map(Int.init) == part.samples.map(images.label)) }
    }
    #expect(epochs[0].flatMap(\.samples) != epochs[1].flatMap(\.samples))
    #expect(epochs[1].flatMap(\.samples) != epochs[2].flatMap(\.samples))
  }

  @Test func `shares count samples, the last batch is ragged, and a shard may be empty`() throws {
    let batches = take(2, source(try randomImages(10), shuffle: false), shards: 0..<4)
    #expect(batches[0].map(\.samples) == [[0, 1], [2, 3], [4, 5], [6]])
    let shares: [Double] = [2, 2, 2, 1].map { $0 / 7 }
    #expect(batches[0].map(\.share) == shares)
    #expect(batches[1].map(\.samples) == [[7], [8], [9], []])
    #expect(batches[1].map(\.batchCount) == [3, 3, 3, 3])
    #expect(batches[1][3].share == 0)
  }

  @Test func `a batch stays as it is until the next one is taken, and two slots take turns`() throws {
    let source = source(try randomImages(25))
    let loader = BatchLoader(source, shards: 1..<3)
    var memory: Set<UnsafeMutablePointer<Float>> = []
    for _ in 0..<20 {
      let batch = try loader.next()
      let before = copies(batch)
      Thread.sleep(forTimeInterval: 0.002)  // time enough for the thread to write where it should not
      #expect(copies(batch) == before)
      memory.formUnion(batch.shards.map(\.images.pointer))
    }
    #expect(memory.count == 2 * 2)
  }

  @Test func `stopping ends the thread, whatever it is doing, and so does dropping the loader`() throws {
    let source = source(try randomImages(25))
    func threads() throws -> Int {
      try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").count { task in
        let name = try? String(contentsOfFile: "/proc/self/task/\(task)/comm", encoding: .utf8)
        return name == "icp batches\n"
      }
    }
    let running = BatchLoader(source, shards: 0..<4)
    _ = try running.next()
    #expect(try threads() >= 1)
    for taken in 0..<50 {
      let loader = BatchLoader(source, shards: 0..<4)
      for _ in 0..<(taken % 4) { _ = try loader.next() }
      if taken % 2 == 0 { loader.stop() }
      loader.stop()
    }
    for _ in 0..<50 { _ = BatchLoader(source, shards: 0..<4) }
    // Other tests' loaders run beside this one; 100 threads left behind would show all the same.
    #expect(try threads() < 50)
    running.stop()
  }
}
