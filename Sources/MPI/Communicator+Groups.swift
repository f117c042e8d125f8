import CMPI
import Glibc

extension Communicator {
  /// The group of `size` ranks that this one belongs to: the ranks cut by their order. Every rank calls it. The
  /// corresponding C function is `MPI_Comm_split`.
  /// - Precondition: the number of ranks is a multiple of `size`.
  package func group(of size: Int) throws(MPIError) -> Communicator {
    precondition(self.size % size == 0, "\(self.size) ranks cannot be cut into groups of \(size)")
    guard let handle else { return self }
    var group: MPI_Comm?
    try check("MPI_Comm_split", MPI_Comm_split(handle, Int32(rank / size), Int32(rank), &group))
    return try Communicator(group!, firstRank: firstRank + rank - rank % size)
  }

  /// Waits until every rank is here, for hours if need be: asleep, so that the cores are the others', and calling
  /// `meanwhile` some times a second. The corresponding C functions are `MPI_Ibarrier` and `MPI_Test`.
  package func barrier(meanwhile: () throws -> Void) throws {
    guard let handle else { return }
    var request: MPI_Request?
    try check("MPI_Ibarrier", MPI_Ibarrier(handle, &request))
    while true {
      var isDone: Int32 = 0
      try check("MPI_Test", MPI_Test(&request, &isDone, cmpi_status_ignore()))
      if isDone != 0 { return }
      try meanwhile()
      usleep(50_000)
    }
  }
}
