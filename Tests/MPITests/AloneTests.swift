import MPI
import Runtime
import Testing

/// A communicator of this process alone: what every call promises, of one rank, without MPI.
@Suite struct `One rank alone` {
  private let alone = Communicator.alone

  @Test func `is rank 0 of 1, of whatever group`() throws {
    for communicator in [alone, try alone.onThisHost(), try alone.group(of: 1)] {
      #expect(communicator.rank == 0 && communicator.size == 1 && communicator.firstRank == 0)
    }
  }

  @Test func `its values are their own sums and extremes, and its records all there are`() throws {
    var integers: [Int64] = [3, .max, .min]
    try integers.withUnsafeMutableBufferPointer { try alone.sum($0) }
    #expect(integers == [3, .max, .min])
    var floats: [Float] = [0.1, -.infinity]
    try floats.withUnsafeMutableBufferPointer { try alone.sum($0) }
    #expect(floats == [0.1, -.infinity])
    #expect(try alone.minimum([4, -1]) == [4, -1] && alone.maximum([4, -1]) == [4, -1])
    #expect(try alone.broadcast([1, 2, 3]) == [1, 2, 3] && alone.broadcast([]) == [])
    #expect(try alone.gather([7, 8]) == [[7, 8]] && alone.gatherVarying([]) == [[]])
  }

  @Test func `it waits for nobody`() throws {
    try alone.barrier()
    var turns = 0
    try alone.barrier { turns += 1 }
    #expect(turns == 0)
  }

  @Test func `its sums under way are done when they are taken, in order`() throws {
    let values = UnsafeMutableBufferPointer<Int64>.allocate(capacity: 2)
    defer { values.deallocate() }
    _ = values.initialize(from: [5, 6])
    let sums = PendingSums(capacity: 2, communicator: alone)
    for _ in 0..<3 {
      try sums.start(values)
      try sums.start(values)
      #expect(sums.isUnderWay)
      #expect(try sums.takeOldest() && sums.isUnderWay)
      #expect(try sums.takeOldest() && !sums.isUnderWay)
      #expect(try !sums.takeOldest())
    }
    #expect(Array(values) == [5, 6])
  }

  @Test func `there is nobody to write to`() throws {
    let mailbox = try Mailbox(alone)
    try mailbox.sendToAll(1)
    #expect(try mailbox.receive() == nil)
  }

  @Test func `its error is everybody's, with its exit code and without a rank's name`() throws {
    struct Broken: ExitCoded, CustomStringConvertible {
      let exitCode: Int32 = 74
      let description = "no space"
    }
    #expect(try alone.collectively { 5 } == 5)
    let error = #expect(throws: SharedError.self) { try alone.onFirstRank { throw Broken() } }
    #expect(error?.exitCode == 74 && error?.description == "no space")
    try alone.agree(on: "the configuration", "any")
  }
}
