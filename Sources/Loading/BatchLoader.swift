import Datasets
import Files
import Foundation
import Kernels
import Pictures

/// Makes batch after batch, epoch after epoch without end, on a thread of its own and one batch ahead. Two slots of
/// memory take turns, so nothing is allocated for a batch after the first two (an epoch allocates its order).
///
/// Once the data is loaded, two things can fail. A picture whose file was changed since is an error of the batch that
/// needs it. A mapped file that is cut short during the run ends the process with SIGBUS, which cannot be caught.
package final class BatchLoader {
  private let exchange = Exchange()
  private let slots: [[Shard]]
  private let source: BatchSource
  private var epoch: Int
  private var position: Int

  /// Batches from (epoch, position) on; `shards` are the ones this rank runs.
  package init(_ source: BatchSource, shards: Range<Int>, epoch: Int = 0, position: Int = 0) {
    let schedule = source.schedule
    precondition(
      shards.lowerBound >= 0 && shards.upperBound <= schedule.shards, "\(shards) of \(schedule.shards)")
    precondition(
      position >= 0 && position < schedule.stepsPerEpoch, "\(position) of \(schedule.stepsPerEpoch)")
    let slots = (0..<2).map { _ in
      shards.map { Shard(index: $0, capacity: schedule.shardCapacity, shape: source.dataset.shape) }
    }
    self.source = source
    self.slots = slots
    self.epoch = epoch
    self.position = position
    let thread = Thread { [exchange] in
      Self.produce(source, into: slots, epoch: epoch, position: position, exchange)
    }
    thread.start()
  }

  deinit { stop() }

  /// Bytes that one for so many shards takes: two slots, and an epoch's order.
  package static func bytes(_ source: BatchSource, shards: Int) -> Double {
    2 * Double(shards) * Shard.bytes(capacity: source.schedule.shardCapacity, shape: source.dataset.shape)
      + EpochOrder.bytes(count: source.dataset.count)
  }

  /// The next batch, valid until the next call. Waits only where the loader's thread is behind. Throws where a picture
  /// cannot be read any more; there are no batches then.
  package func next() throws(FileError) -> Batch {
    let slot = try exchange.nextFilled()
    defer {
      position += 1
      if position == source.schedule.stepsPerEpoch { (epoch, position) = (epoch + 1, 0) }
    }
    let count = source.schedule.positions(ofBatch: position).count
    return Batch(epoch: epoch, position: position, count: count, shards: slots[slot])
  }

  /// Ends the thread and waits for its end; no batch can be taken afterwards. May be called twice.
  package func stop() {
    exchange.stop()
  }

  private static func produce(
    _ source: BatchSource, into slots: [[Shard]], epoch: Int, position: Int, _ exchange: Exchange
  ) {
    defer { exchange.finish() }
    Thread.current.name = "icp batches"  // for top -H; a name given before the start is lost on Linux
    var (epoch, position) = (epoch, position)
    var order = source.order(epoch: epoch)
    while let slot = exchange.free() {
      let batch = source.schedule.positions(ofBatch: position)
      let meanWeight = source.meanWeight(batch, order: order)
      let shards = slots[slot]
      for shard in shards {
        shard.fill(
          source.schedule.positions(ofBatch: position, shard: shard.index), ofBatch: batch.count,
          meanWeight: meanWeight, order: order, from: source.dataset)
      }
      do throws(FileError) {
        try write(shards, epoch: epoch, source)
      } catch {
        return exchange.fail(error)
      }
      exchange.fill()
      position += 1
      if position == source.schedule.stepsPerEpoch {
        epoch = epoch + 1
        position = 0
        order = source.order(epoch: epoch)
      }
    }
  }

  private static func write(_ shards: [Shard], epoch: Int, _ source: BatchSource) throws(FileError) {
    guard source.threads > 1 else {
      for shard in shards {
        for at in 0..<shard.count { try shard.write(at, epoch: epoch, from: source.dataset, by: source.transform) }
      }
      return
    }
    let places = shards.flatMap { shard in (0..<shard.count).map { (shard, $0) } }
    try Parallel.run(places.count, threads: source.threads) { (index) throws(FileError) in
      let (shard, at) = places[index]
      try shard.write(at, epoch: epoch, from: source.dataset, by: source.transform)
    }
  }

  /// Who may touch which slot: batch i lies in slot i mod 2, from when it is filled until batch i + 1 is taken.
  private final class Exchange: @unchecked Sendable {
    private let condition = NSCondition()
    private var filled = 0
    private var taken = 0
    private var stopping = false
    private var isEnded = false
    private var failure: FileError?

    /// Consumer: gives back the slot it holds and waits for the next one.
    func nextFilled() throws(FileError) -> Int {
      let result = condition.withLock { () -> Result<Int, FileError> in
        precondition(!stopping, "next() after stop()")
        taken += 1
        condition.broadcast()
        while filled < taken {
          if let failure { return .failure(failure) }
          condition.wait()
        }
        return .success((taken - 1) % 2)
      }
      return try result.get()
    }

    /// Producer: waits for a slot that the consumer does not hold; nil at the end.
    func free() -> Int? {
      condition.withLock {
        // Of the batches filled, all before the one taken last are given back.
        while !stopping && filled - max(taken - 1, 0) >= 2 { condition.wait() }
        return stopping ? nil : filled % 2
      }
    }

    /// Producer: the slot that free() gave is filled.
    func fill() {
      condition.withLock {
        filled += 1
        condition.broadcast()
      }
    }

    /// Producer: there will be no more batches.
    func fail(_ error: FileError) {
      condition.withLock {
        failure = error
        condition.broadcast()
      }
    }

    /// Producer: the thread touches nothing any more.
    func finish() {
      condition.withLock {
        isEnded = true
        condition.broadcast()
      }
    }

    func stop() {
      condition.withLock {
        stopping = true
        condition.broadcast()
        while !isEnded { condition.wait() }
      }
    }
  }
}
