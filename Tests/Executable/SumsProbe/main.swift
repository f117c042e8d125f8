import Foundation
import MPI
import Reduction

// Sums of buckets over the ranks of a real job, checked value by value on each of them. The tests start this program
// under mpirun: `sums-probe HOST-RANKS SCHEDULE` takes every HOST-RANKS ranks for a host, 0 the hosts that there are.

/// A sum that is not what it should be, on this rank.
struct Broken: Error { let claim: String }

/// A term: differs by rank, step and place, and is a multiple of 2^-20 as a number, so that sums are exact in float32.
func term(_ rank: Int, _ step: Int, _ place: Int) -> Int64 { Int64((rank + 1) * (place % 997 + step)) << 24 }

func sum(_ size: Int, _ step: Int, _ place: Int) -> Int64 {
  (0..<size).reduce(0) { $0 &+ term($1, step, place) }
}

func check(_ buckets: GradientBuckets, _ sums: BucketSums, steps: ClosedRange<Int>, _ world: Communicator) throws {
  for step in steps {
    for place in 0..<buckets.messageCount { sums.message[place] = term(world.rank, step, place) }
    for bucket in 0..<buckets.count {
      // A rank that is late, each time another.
      if (bucket + step) % world.size == world.rank { usleep(useconds_t(200 * (step % 3))) }
      try sums.start(bucket)
      if bucket % 2 == 0 { try sums.progress() }
    }
    for bucket in 0..<buckets.count {
      try sums.take(bucket) {}
      let range = buckets.range(bucket)
      let place = buckets.place(bucket)
      var values = [Float](repeating: .nan, count: range.count)
      values.withUnsafeMutableBufferPointer { values in
        if let start = values.baseAddress { sums.decode(range, of: bucket, into: start) }
      }
      for index in range.indices {
        let at = index - range.lowerBound
        let expected = Float(Double(sum(world.size, step, place.lowerBound + at)) * 0x1p-44)
        guard values[at] == expected else {
          throw Broken(claim: "step \(step) bucket \(bucket) gradient \(index): \(values[at]), expected \(expected)")
        }
      }
      for index in place.lowerBound + range.count..<place.upperBound
      where sums.message[index] != sum(world.size, step, index) {
        throw Broken(claim: "step \(step) bucket \(bucket) word \(index): \(sums.message[index])")
      }
    }
  }
}

let arguments = CommandLine.arguments.dropFirst().map { $0 }
guard arguments.count == 2, let hostRanks = Int(arguments[0]), let schedule = HostsSchedule(rawValue: arguments[1])
else {
  print("usage: sums-probe HOST-RANKS \(HostsSchedule.allCases.map(\.rawValue).joined(separator: "|"))")
  World.abort(64)
}

do {
  try World.run { world in
    let host = try hostRanks == 0 ? world.onThisHost() : world.group(of: hostRanks)
    for (gradients, others, size) in [(0, 1, 64), (1, 0, 64), (50, 3, 16), (1000, 5000, 300), (300_001, 17, 40_000)] {
      let buckets = GradientBuckets(gradients: gradients, others: others, size: size)
      let sums = try BucketSums(buckets, world, host: host, schedule: schedule)
      try check(buckets, sums, steps: 1...(gradients > 1000 ? 3 : 20), world)
    }
    try world.barrier()
    if world.rank == 0 { print("sums-probe: all sums are right at \(world.size) ranks, \(hostRanks) a host") }
  }
} catch {
  FileHandle.standardError.write(Data("sums-probe: \(error)\n".utf8))
  World.abort(1)
}
