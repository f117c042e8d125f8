import CMPI

/// Messages between two ranks each that are under way, of this rank. Made once and used again and again: sending and
/// receiving allocate nothing of ours.
///
/// Open MPI has no progress thread: messages advance only inside MPI calls. The corresponding C functions are
/// `MPI_Isend`, `MPI_Irecv` and `MPI_Testsome`.
package final class PendingMessages {
  private let communicator: Communicator
  private let capacity: Int
  /// Those under way are the first `count`; each has its caller's mark.
  private let requests: UnsafeMutablePointer<MPI_Request?>
  private let marks, doneMarks: UnsafeMutablePointer<Int>
  private let indices: UnsafeMutablePointer<Int32>
  private var count = 0

  /// `capacity`: how many may be under way at once.
  package init(capacity: Int, communicator: Communicator) {
    self.communicator = communicator
    self.capacity = capacity
    requests = .allocate(capacity: capacity)
    requests.initialize(repeating: nil, count: capacity)
    marks = .allocate(capacity: capacity)
    doneMarks = .allocate(capacity: capacity)
    indices = .allocate(capacity: capacity)
  }

  deinit {
    marks.deallocate()
    doneMarks.deallocate()
    indices.deallocate()
    if !isUnderWay { requests.deallocate() }
  }

  /// Whether MPI may still read or write what was sent or is to be received.
  package var isUnderWay: Bool { count > 0 }

  /// Begins to send `bytes`, which stay as they are until `takeDone` names `mark`.
  package func send(_ bytes: UnsafeRawBufferPointer, to rank: Int, tag: Int, mark: Int) throws(MPIError) {
    let code = MPI_Isend(
      bytes.baseAddress, Int32(bytes.count), cmpi_byte(), Int32(rank), Int32(tag), communicator.handle, next(mark))
    try check("MPI_Isend", code)
  }

  /// Begins to receive as many bytes from a rank that sends them with the same tag; they are there once `takeDone`
  /// names `mark`. Messages of one rank and tag come in the order in which they were sent.
  package func receive(
    _ bytes: UnsafeMutableRawBufferPointer, from rank: Int, tag: Int, mark: Int
  ) throws(MPIError) {
    let code = MPI_Irecv(
      bytes.baseAddress, Int32(bytes.count), cmpi_byte(), Int32(rank), Int32(tag), communicator.handle, next(mark))
    try check("MPI_Irecv", code)
  }

  private func next(_ mark: Int) -> UnsafeMutablePointer<MPI_Request?> {
    precondition(count < capacity, "more messages than were planned")
    marks[count] = mark
    count += 1
    return requests + count - 1
  }

  /// Calls `body` with the marks of messages that are done, if any; it may begin others. Does not wait.
  package func takeDone(_ body: (Int) throws -> Void) throws {
    guard count > 0 else { return }
    var done: Int32 = 0
    try check("MPI_Testsome", MPI_Testsome(Int32(count), requests, &done, indices, cmpi_statuses_ignore()))
    guard done > 0 else { return }
    // MPI says in no order which are done. Those that stay close ranks.
    for index in 0..<Int(done) {
      let place = Int(indices[index])
      doneMarks[index] = marks[place]
      marks[place] = Self.isDone
    }
    var kept = 0
    for place in 0..<count where marks[place] != Self.isDone {
      if kept != place { (requests[kept], marks[kept]) = (requests[place], marks[place]) }
      kept += 1
    }
    count = kept
    for index in 0..<Int(done) { try body(doneMarks[index]) }
  }

  /// No caller's mark.
  private static let isDone = Int.min
}
