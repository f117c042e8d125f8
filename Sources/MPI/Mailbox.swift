import CMPI

/// Small messages beside the collectives, which no rank has to wait for: a number from one rank to another. Messages
/// have a communicator of their own, so that they meet nothing else. The corresponding C functions are `MPI_Isend`,
/// `MPI_Iprobe` and `MPI_Recv`.
package final class Mailbox {
  /// Nil where there is nobody else.
  private let handle: MPI_Comm?
  package let rank: Int
  package let size: Int
  /// MPI reads these as long as a message is on its way: never given back, since a mailbox lives as long as the job.
  private let numbers: UnsafeMutableBufferPointer<Int64>
  private var requests: [MPI_Request?]

  /// Every rank calls it.
  package init(_ communicator: Communicator) throws(MPIError) {
    var own: MPI_Comm?
    if let handle = communicator.handle { try check("MPI_Comm_dup", MPI_Comm_dup(handle, &own)) }
    handle = own
    rank = communicator.rank
    size = communicator.size
    numbers = .allocate(capacity: size)
    numbers.initialize(repeating: 0)
    requests = Array(repeating: nil, count: size)
  }

  /// Sends `number` to every other rank to which no earlier one is still on its way; returns at once.
  package func sendToAll(_ number: Int64) throws(MPIError) { try send(number, to: 0..<size) }

  /// The same, to some ranks; not to this one, if it is among them.
  package func send(_ number: Int64, to ranks: some Sequence<Int>) throws(MPIError) {
    for other in ranks where other != rank {
      var isDone: Int32 = 1
      if requests[other] != nil { try check("MPI_Test", MPI_Test(&requests[other], &isDone, cmpi_status_ignore())) }
      guard isDone != 0 else { continue }
      numbers[other] = number
      let code = MPI_Isend(numbers.baseAddress! + other, 1, cmpi_int64(), Int32(other), 0, handle, &requests[other])
      try check("MPI_Isend", code)
    }
  }

  /// A message that has come, or nil.
  package func receive() throws(MPIError) -> (rank: Int, number: Int64)? {
    guard let handle else { return nil }
    var isThere: Int32 = 0
    var status = MPI_Status()
    try check("MPI_Iprobe", MPI_Iprobe(cmpi_any_source(), 0, handle, &isThere, &status))
    guard isThere != 0 else { return nil }
    var number: Int64 = 0
    try check("MPI_Recv", MPI_Recv(&number, 1, cmpi_int64(), status.MPI_SOURCE, 0, handle, cmpi_status_ignore()))
    return (Int(status.MPI_SOURCE), number)
  }
}
