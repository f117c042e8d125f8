import CMPI

/// Sums over the ranks that are under way, in the order in which they were started: the buckets of one step. Made once
/// and used step after step; starting and waiting allocate nothing of ours.
///
/// Open MPI has no progress thread: sums advance only inside MPI calls, so who computes meanwhile calls `progress` now
/// and then. The corresponding C functions are `MPI_Iallreduce`, `MPI_Testall` and `MPI_Test`.
package final class PendingSums {
  private let communicator: Communicator
  private let requests: UnsafeMutableBufferPointer<MPI_Request?>
  /// Sums started, and those waited for, since the last time that none was left.
  private var (started, completed) = (0, 0)

  /// `capacity`: how many may be under way at once.
  package init(capacity: Int, communicator: Communicator) {
    self.communicator = communicator
    requests = .allocate(capacity: capacity)
    requests.initialize(repeating: nil)
  }

  /// Whether MPI may still write into a buffer. One that is dropped then, on the way out after an error, must be left
  /// where it is.
  package var isUnderWay: Bool { completed < started }

  deinit { if !isUnderWay { requests.deallocate() } }

  /// Begins to replace each value by its sum over the ranks, and returns at once. Until `wait` says that this sum is
  /// done, `values` must stay where it is and be left alone. Every rank starts the same sums in the same order.
  package func start(_ values: UnsafeMutableBufferPointer<Int64>) throws(MPIError) {
    precondition(started < requests.count, "more sums than were planned")
    precondition(values.count <= Int(Int32.max), "a message holds at most \(Int32.max) values")
    if let handle = communicator.handle {
      let code = MPI_Iallreduce(
        cmpi_in_place(), values.baseAddress, Int32(values.count), cmpi_int64(), cmpi_sum(), handle, &requests[started])
      try check("MPI_Iallreduce", code)
    }
    started += 1
  }

  /// Lets what is under way advance, without waiting.
  package func progress() throws(MPIError) {
    guard isUnderWay, communicator.handle != nil else { return }
    var isDone: Int32 = 0
    let pending = requests.baseAddress! + completed
    let code = MPI_Testall(Int32(started - completed), pending, &isDone, cmpi_statuses_ignore())
    try check("MPI_Testall", code)
  }

  /// Returns when the oldest sum not yet waited for is in its buffer; until then calls `meanwhile` again and again.
  package func wait(_ meanwhile: () throws(MPIError) -> Void = {}) throws(MPIError) {
    precondition(isUnderWay, "nothing is under way")
    var isDone: Int32 = 0
    while communicator.handle != nil {
      for _ in 0..<Self.tests where isDone == 0 {
        try check("MPI_Test", MPI_Test(&requests[completed], &isDone, cmpi_status_ignore()))
      }
      if isDone != 0 { break }
      try meanwhile()
    }
    completed += 1
    if completed == started { (started, completed) = (0, 0) }
  }

  /// Between two calls of `meanwhile`: some 10 microseconds.
  private static let tests = 100
}
