import CMPI

/// A sum over the ranks that is under way. `wait` ends it; one that is forgotten stops the program, because MPI would
/// write into a buffer that may be gone.
package struct PendingReduction: ~Copyable {
  private var request: MPI_Request?

  init(request: MPI_Request?) { self.request = request }

  /// Returns when the sum is in the buffer. The corresponding C function is `MPI_Wait`.
  package consuming func wait() throws(MPIError) {
    let code = MPI_Wait(&request, cmpi_status_ignore())
    request = nil
    try check("MPI_Wait", code)
  }

  // fatalError, not precondition: an optimised build drops a precondition's message.
  deinit { if request != nil { fatalError("a reduction was dropped before wait()") } }
}
