import Configuration
import Datasets
import Dispatch
import MPI
import Pictures
import Planning
import Supervision
import Synchronization

extension Communicator {
  /// So often do ranks hear of each other while one of them reads, in seconds.
  private static let newsInterval = 10.0

  /// The indexes of all pictures that a configuration names: rank 0 lists and reads, the others get what it found. So
  /// no other rank lists a folder. None where the data is of another kind. `measuresTraining` false where nobody needs
  /// mean and deviation of the training images.
  ///
  /// A million pictures take longer than a start may. So as long as rank 0 gets on, every rank's `clock` hears of it:
  /// no watchdog, of this host or another, takes it for a hang. Where a folder's server does not answer, they do.
  package func pictureIndexes(
    _ configuration: RunConfiguration, _ clock: PhaseClock, measuresTraining: Bool = true
  ) throws -> [String: PictureIndex] {
    let progress = ReadingProgress()
    let reading =
      rank > 0
      ? nil
      : BackgroundWork {
        var options = DataOptions(configuration)
        options.progress = progress
        return try options.pictureIndexes(measuresTraining: measuresTraining)
      }
    try wait(for: reading, progress, clock)
    let found = try collectively { try reading?.result() ?? [:] }
    guard size > 1 else { return found }
    let places = try broadcast(Array(found.keys.sorted().joined(separator: "\n").utf8), from: 0)
    var indexes: [String: PictureIndex] = [:]
    for place in String(decoding: places, as: UTF8.self).split(separator: "\n").map(String.init) {
      let bytes = try broadcast(found[place]?.encoded ?? [], from: 0)
      indexes[place] = bytes.withUnsafeBytes { PictureIndex(encoded: $0) }
    }
    return indexes
  }

  private func wait(
    for reading: BackgroundWork<[String: PictureIndex]>?, _ progress: ReadingProgress, _ clock: PhaseClock
  ) throws {
    var count = 0
    while true {
      let isOver = reading?.isOver(within: Self.newsInterval) ?? false
      let news = try broadcast(isOver ? [] : Array("\(progress.count)".utf8), from: 0)
      guard let newCount = Int(String(decoding: news, as: UTF8.self)) else { return }
      if newCount > count { clock.beat() }
      count = newCount
    }
  }
}

/// Work on a thread of its own.
private final class BackgroundWork<Value: Sendable>: Sendable {
  private let end = DispatchSemaphore(value: 0)
  private let outcome = Mutex<Result<Value, any Error>?>(nil)

  init(_ body: @escaping @Sendable () throws -> Value) {
    DispatchQueue.global().async { [self] in
      let result = Result(catching: body)
      outcome.withLock { $0 = result }
      end.signal()
    }
  }

  /// Waits for so many seconds at most. True once.
  func isOver(within seconds: Double) -> Bool { end.wait(timeout: .now() + seconds) == .success }

  /// To be asked for when it is over.
  func result() throws -> Value { try outcome.withLock { $0! }.get() }
}
