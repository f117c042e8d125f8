import CMPI

/// Sums over the ranks that are under way, in the order in which they were started: the buckets of one step. Made once
/// and used step after step; starting and waiting allocate nothing of ours.
///
/// Open MPI has no progress thread: sums advance only inside MPI calls, so who computes meanwhile calls `takeOldest`
/// now and then. The corresponding C functions are `MPI_Iallreduce` and `MPI_Test`.
package final class PendingSums {
  private let communicator: Communicator
  private let requests: UnsafeMutableBufferPointer<MPI_Request?>
  /// Sums started, and those taken, since the last time that none was left.
  private var (started, taken) = (0, 0)

  /// `capacity`: how many may be under way at once.
  package init(capacity: Int, communicator: Communicator) {
    self.communicator = communicator
    requests = .allocate(capacity: capacity)
    requests.initialize(repeating: nil)
  }

  /// Whether MPI may still write into a buffer. One that is dropped then, on the way out after an error, must be left
  /// where it is.
  package var isUnderWay: Bool { taken < started }

  deinit { if !isUnderWay { requests.deallocate() } }

  /// Begins to replace each value by its sum over the ranks, and returns at once. Until `takeOldest` says that this sum
  /// is done, `values` must stay where it is and be left alone. Every rank starts the same sums in the same order.
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

  /// Whether the oldest sum not yet taken is in its buffer; then it is taken. Lets all that is under way advance, and
  /// does not wait.
  package func takeOldest() throws(MPIError) -> Bool {
    guard isUnderWay else { return false }
    if communicator.handle != nil {
      var isDone: Int32 = 0
      try check("MPI_Test", MPI_Test(&requests[taken], &isDone, cmpi_status_ignore()))
      guard isDone != 0 else { return false }
    }
    taken += 1
    if taken == started { (started, taken) = (0, 0) }
    return true
  }
}
