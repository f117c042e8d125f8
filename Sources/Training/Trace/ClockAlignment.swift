import MPI
import Supervision

/// What to add to each rank's clock so that it shows the time of rank 0's.
package struct ClockAlignment {
  /// Nanoseconds, by rank.
  package let offsets: [Int64]
  /// The largest error of an offset, in nanoseconds; 0 where all ranks are on one host.
  package let uncertainty: Int64

  /// Every rank calls it.
  ///
  /// No rank leaves an allreduce before all have entered it. So each round bounds a rank's offset from both sides: rank
  /// 0 enters before the rank leaves, and the rank enters before rank 0 leaves. Of many rounds the tightest bounds
  /// count, and the offset is their middle.
  /// - Parameter hosts: by rank. Processes of one host read the same clock.
  package init(_ communicator: Communicator, hosts: [String], rounds: Int = 64) throws(MPIError) {
    var times: [Int64] = []
    for _ in 0..<rounds {
      times.append(PhaseTrace.now)
      _ = try communicator.maximum([0])
      times.append(PhaseTrace.now)
    }
    self.init(try communicator.gather(times.flatMap(bytes(of:))).map(integers(in:)), hosts: hosts)
  }

  /// `times`: by rank, each round's entry and exit.
  init(_ times: [[Int64]], hosts: [String]) {
    var offsets: [Int64] = []
    var uncertainty: Int64 = 0
    for (own, host) in zip(times, hosts) {
      guard host != hosts[0] else {
        offsets.append(0)
        continue
      }
      var (least, most) = (Int64.min, Int64.max)
      for round in stride(from: 0, to: own.count, by: 2) {
        least = max(least, times[0][round] - own[round + 1])
        most = min(most, times[0][round + 1] - own[round])
      }
      offsets.append(least + (most - least) / 2)
      uncertainty = max(uncertainty, (most - least) / 2)
    }
    self.offsets = offsets
    self.uncertainty = uncertainty
  }
}

/// For messages between ranks: 8 bytes, little-endian.
func bytes(of value: Int64) -> [UInt8] { withUnsafeBytes(of: value.littleEndian) { Array($0) } }

func integers(in bytes: [UInt8]) -> [Int64] {
  stride(from: 0, to: bytes.count, by: 8).map { start in
    Int64(bitPattern: bytes[start..<start + 8].reversed().reduce(0) { $0 << 8 | UInt64($1) })
  }
}
