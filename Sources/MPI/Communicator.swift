import CMPI

/// All ranks of a job. Every collective call must be made by every rank, in the same order.
package struct Communicator {
  package let rank: Int
  package let size: Int
  private let handle: MPI_Comm

  init(_ handle: MPI_Comm) throws(MPIError) {
    var (rank, size): (Int32, Int32) = (0, 0)
    try check("MPI_Comm_rank", MPI_Comm_rank(handle, &rank))
    try check("MPI_Comm_size", MPI_Comm_size(handle, &size))
    (self.rank, self.size, self.handle) = (Int(rank), Int(size), handle)
  }

  /// Elements of one call: MPI 3.1 counts in Int32. A multiple of a page, and far below the limit.
  static let chunk = 1 << 28

  /// MPI_Allreduce, MPI_SUM, in place. Integers: the same bits in any order, at any rank count.
  package func sum(_ values: UnsafeMutableBufferPointer<Int64>) throws(MPIError) {
    try reduce(values, cmpi_int64(), cmpi_sum())
  }

  /// MPI_Allreduce, MPI_SUM, in place. Floats: bits depend on the number of ranks and on the message's size.
  package func sum(_ values: UnsafeMutableBufferPointer<Float>) throws(MPIError) {
    try reduce(values, cmpi_float(), cmpi_sum())
  }

  /// MPI_Allreduce, MPI_MIN, element by element.
  package func minimum(_ values: [Int64]) throws(MPIError) -> [Int64] {
    try reduced(values, cmpi_min())
  }

  /// MPI_Allreduce, MPI_MAX, element by element.
  package func maximum(_ values: [Int64]) throws(MPIError) -> [Int64] {
    try reduced(values, cmpi_max())
  }

  private func reduced(_ values: [Int64], _ operation: MPI_Op) throws(MPIError) -> [Int64] {
    var values = values
    try values.withUnsafeMutableBufferPointer { buffer throws(MPIError) in
      try reduce(buffer, cmpi_int64(), operation)
    }
    return values
  }

  private func reduce<Element>(
    _ values: UnsafeMutableBufferPointer<Element>, _ type: MPI_Datatype, _ operation: MPI_Op
  ) throws(MPIError) {
    guard size > 1 else { return }
    for start in stride(from: 0, to: values.count, by: Self.chunk) {
      let count = Int32(min(Self.chunk, values.count - start))
      try check(
        "MPI_Allreduce",
        MPI_Allreduce(cmpi_in_place(), values.baseAddress! + start, count, type, operation, handle))
    }
  }

  /// MPI_Bcast of bytes whose number only `root` knows; other ranks' `bytes` do not count.
  package func broadcast(_ bytes: [UInt8], from root: Int) throws(MPIError) -> [UInt8] {
    guard size > 1 else { return bytes }
    let count = Int(try maximum([Int64(rank == root ? bytes.count : 0)])[0])
    var result = rank == root ? bytes : [UInt8](repeating: 0, count: count)
    for start in stride(from: 0, to: count, by: Self.chunk) {
      let length = Int32(min(Self.chunk, count - start))
      let code = result.withUnsafeMutableBytes {
        MPI_Bcast($0.baseAddress! + start, length, cmpi_byte(), Int32(root), handle)
      }
      try check("MPI_Bcast", code)
    }
    return result
  }

  /// MPI_Barrier
  package func barrier() throws(MPIError) {
    try check("MPI_Barrier", MPI_Barrier(handle))
  }
}
