import Foundation
import MPI

// What every call of the MPI module promises, asserted on each rank of a real job. The tests start this program under
// mpirun: `mpi-probe EXPECTED-RANKS` makes all checks; a second argument names one way to end badly.

/// A check that did not hold, on this rank.
struct Broken: Error { let claim: String }

func expect(_ holds: Bool, _ claim: String) throws {
  guard holds else { throw Broken(claim: claim) }
}

/// A number that differs by rank and index, and is exact in float32 and in any sum of it.
func sample(_ rank: Int, _ index: Int) -> Int64 { Int64((rank + 1) * (index % 1000 + 1)) }

/// The sum of `sample` over the ranks.
func sampleSum(_ size: Int, _ index: Int) -> Int64 { Int64(size * (size + 1) / 2 * (index % 1000 + 1)) }

func checkSums(_ world: Communicator) throws {
  for count in [0, 1, 7, 100_003] {
    var integers = (0..<count).map { sample(world.rank, $0) }
    try integers.withUnsafeMutableBufferPointer { try world.sum($0) }
    try expect(integers == (0..<count).map { sampleSum(world.size, $0) }, "sum of \(count) Int64")

    var floats = (0..<count).map { Float(sample(world.rank, $0)) }
    try floats.withUnsafeMutableBufferPointer { try world.sum($0) }
    try expect(floats == (0..<count).map { Float(sampleSum(world.size, $0)) }, "sum of \(count) Float")
  }
  // Two's complement: a partial sum may leave the range as long as the whole stays in it.
  var wrapping = [world.rank == 0 ? Int64.max : 1, world.rank == world.size - 1 ? -1 : 0]
  try wrapping.withUnsafeMutableBufferPointer { try world.sum($0) }
  try expect(wrapping == [Int64.max &+ Int64(world.size - 1), -1], "sum wraps at 64 bits")
}

func checkPending(_ world: Communicator) throws {
  let count = 100_003
  let first = UnsafeMutableBufferPointer<Int64>.allocate(capacity: count)
  let second = UnsafeMutableBufferPointer<Int64>.allocate(capacity: count)
  defer {
    first.deallocate()
    second.deallocate()
  }
  for index in 0..<count { (first[index], second[index]) = (sample(world.rank, index), Int64(world.rank)) }
  let sums = PendingSums(capacity: 2, communicator: world)
  try sums.start(first)
  var taken = try sums.takeOldest() ? 1 : 0
  try sums.start(second)
  while sums.isUnderWay { taken += try sums.takeOldest() ? 1 : 0 }
  try expect(taken == 2, "two pending sums, \(taken) taken")
  try expect(first.indices.allSatisfy { first[$0] == sampleSum(world.size, $0) }, "first of two pending sums")
  let ranks = Int64(world.size * (world.size - 1) / 2)
  try expect(second.allSatisfy { $0 == ranks }, "second of two pending sums")
}

/// Each rank sends each other three messages of different lengths, under two tags, and takes what comes in any order.
func checkMessages(_ world: Communicator) throws {
  let lengths = [1, 2000, 30_001]
  let others = (0..<world.size).filter { $0 != world.rank }
  let messages = PendingMessages(capacity: 2 * lengths.count * others.count, communicator: world)
  var buffers: [Int: (rank: Int, bytes: UnsafeMutableRawBufferPointer)] = [:]
  func buffer(_ mark: Int, _ rank: Int, _ length: Int) -> UnsafeMutableRawBufferPointer {
    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: length, alignment: 64)
    buffers[mark] = (rank, bytes)
    return bytes
  }
  defer { for (_, bytes) in buffers.values { bytes.deallocate() } }
  func value(_ rank: Int, _ length: Int) -> UInt8 { UInt8(truncatingIfNeeded: 31 * rank + length) }
  var expected: Set<Int> = []
  for other in others {
    for (index, length) in lengths.enumerated() {
      let mark = other * lengths.count + index
      let sent = buffer(1000 + mark, world.rank, length)
      sent.initializeMemory(as: UInt8.self, repeating: value(world.rank, length))
      try messages.receive(buffer(mark, other, length), from: other, tag: index / 2, mark: mark)
      try messages.send(UnsafeRawBufferPointer(sent), to: other, tag: index / 2, mark: 1000 + mark)
      expected.formUnion([mark, 1000 + mark])
    }
  }
  while messages.isUnderWay {
    try messages.takeDone { mark in
      try expect(expected.remove(mark) != nil, "message \(mark) is done once")
      let (rank, bytes) = buffers[mark]!
      try expect(bytes.allSatisfy { $0 == value(rank, bytes.count) }, "message \(mark) of rank \(rank)")
    }
  }
  try expect(expected.isEmpty, "messages \(expected) are done")
}

func checkExtremes(_ world: Communicator) throws {
  let values = [Int64(world.rank), -Int64(world.rank), .max, .min]
  let last = Int64(world.size - 1)
  try expect(try world.minimum(values) == [0, -last, .max, .min], "minimum")
  try expect(try world.maximum(values) == [last, 0, .max, .min], "maximum")
}

func checkBroadcast(_ world: Communicator) throws {
  for root in 0..<world.size {
    for count in [0, 1, 100_003] {
      let sent = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ root) }
      let received = try world.broadcast(world.rank == root ? sent : [9, 9, 9], from: root)
      try expect(received == sent, "broadcast of \(count) bytes from \(root)")
    }
    var number = world.rank
    try withUnsafeMutableBytes(of: &number) { try world.broadcast($0, from: root) }
    try expect(number == root, "broadcast in place from \(root)")
  }
}

func checkGather(_ world: Communicator) throws {
  let records = try world.gather([UInt8(world.rank), 7, UInt8(world.size)])
  try expect(records == (0..<world.size).map { [UInt8($0), 7, UInt8(world.size)] }, "gather in rank order")
  try expect(try world.gather([]) == Array(repeating: [], count: world.size), "gather of nothing")
}

/// Names an ending that is not a success, and goes there from one rank while the others wait in a barrier.
func end(_ how: String, _ world: Communicator) throws {
  let isLast = world.rank == world.size - 1
  switch how {
  case "abort" where isLast: World.abort(65)
  case "abort-256" where isLast: World.abort(256)
  case "throw" where isLast: throw Broken(claim: "thrown on purpose")
  case "root" where isLast: _ = try world.broadcast([], from: world.size)
  case "hang" where isLast: sleep(1000)
  default: break
  }
  try world.barrier()
}

let arguments = CommandLine.arguments.dropFirst()
guard let expected = arguments.first.flatMap({ Int($0) }) else {
  print("usage: mpi-probe RANKS [abort|abort-256|throw|root|hang|none]")
  World.abort(64)
}

do {
  try World.run { world in
    // A job of one makes most checks pass, so the size is the first of them.
    try expect(world.size == expected, "\(expected) ranks were started, this job has \(world.size)")
    try expect((0..<expected).contains(world.rank), "rank \(world.rank) of \(expected)")
    if let ending = arguments.dropFirst().first {
      try end(ending, world)
    } else {
      for check in [checkSums, checkPending, checkMessages, checkExtremes, checkBroadcast, checkGather] {
        try check(world)
      }
    }
    try world.barrier()
    if world.rank == 0 { print("mpi-probe: all checks hold at \(world.size) ranks, \(World.libraryVersion)") }
  }
} catch let error as LaunchError {
  FileHandle.standardError.write(Data("mpi-probe: \(error)\n".utf8))
  World.abort(64)
} catch {
  FileHandle.standardError.write(Data("mpi-probe: \(error)\n".utf8))
  World.abort(1)
}
