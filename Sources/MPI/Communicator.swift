import CMPI

/// The ranks of the job. Every call below is collective: all ranks make it, in the same order, with the same counts.
///
/// Not `Sendable`: the thread that started MPI makes every call.
package struct Communicator {
  /// Nil of `alone`.
  let handle: MPI_Comm?
  /// This process's number, 0..<size.
  package let rank: Int
  /// How many processes the job has.
  package let size: Int
  /// Which of the job's ranks is rank 0 here, where the job is cut into groups: messages name `firstRank + rank`.
  package let firstRank: Int
  /// The parts of it that were asked for: MPI has a limited number of communicators.
  let parts = Parts()

  init(_ handle: MPI_Comm, firstRank: Int = 0) throws(MPIError) {
    var (rank, size): (Int32, Int32) = (0, 0)
    try check("MPI_Comm_rank", MPI_Comm_rank(handle, &rank))
    try check("MPI_Comm_size", MPI_Comm_size(handle, &size))
    self.handle = handle
    self.rank = Int(rank)
    self.size = Int(size)
    self.firstRank = firstRank
  }

  /// This process by itself, whether MPI runs or not: what is collective of one rank needs no message.
  package static var alone: Communicator { Communicator() }

  private init() {
    handle = nil
    rank = 0
    size = 1
    firstRank = 0
  }

  /// Waits until every rank is here. The corresponding C function is `MPI_Barrier`.
  package func barrier() throws(MPIError) {
    guard let handle else { return }
    try check("MPI_Barrier", MPI_Barrier(handle))
  }

  /// Replaces each value by its sum over the ranks, wrapping at 64 bits: the same bits for any number of ranks and any
  /// algorithm. The corresponding C function is `MPI_Allreduce`.
  package func sum(_ values: UnsafeMutableBufferPointer<Int64>) throws(MPIError) {
    try reduce(values, cmpi_int64(), cmpi_sum())
  }

  /// Replaces each value by its sum over the ranks: the same bits on all ranks, but not for another number of ranks or
  /// another message size. The corresponding C function is `MPI_Allreduce`.
  package func sum(_ values: UnsafeMutableBufferPointer<Float>) throws(MPIError) {
    try reduce(values, cmpi_float(), cmpi_sum())
  }

  /// The smallest of each value over the ranks.
  package func minimum(_ values: [Int64]) throws(MPIError) -> [Int64] {
    try reduced(values, cmpi_min())
  }

  /// The largest of each value over the ranks.
  package func maximum(_ values: [Int64]) throws(MPIError) -> [Int64] {
    try reduced(values, cmpi_max())
  }

  /// Copies `bytes` of rank `root` over those of the other ranks. The corresponding C function is `MPI_Bcast`.
  package func broadcast(_ bytes: UnsafeMutableRawBufferPointer, from root: Int = 0) throws(MPIError) {
    guard let handle else { return }
    try forEachChunk(of: bytes.count) { range throws(MPIError) in
      let start = bytes.baseAddress?.advanced(by: range.lowerBound)
      try check("MPI_Bcast", MPI_Bcast(start, Int32(range.count), cmpi_byte(), Int32(root), handle))
    }
  }

  /// The bytes of rank `root`, on every rank; `bytes` of the others, and its length, do not count.
  package func broadcast(_ bytes: [UInt8], from root: Int = 0) throws(MPIError) -> [UInt8] {
    var count = [Int64(bytes.count)]
    try withBytes(of: &count) { bytes throws(MPIError) in try broadcast(bytes, from: root) }
    var result = rank == root ? bytes : [UInt8](repeating: 0, count: Int(count[0]))
    try withBytes(of: &result) { bytes throws(MPIError) in try broadcast(bytes, from: root) }
    return result
  }

  /// The records of all ranks, in their order. Every rank gives as many bytes. The corresponding C function is
  /// `MPI_Allgather`.
  package func gather(_ record: [UInt8]) throws(MPIError) -> [[UInt8]] {
    guard let handle else { return [record] }
    let length = record.count
    var all = [UInt8](repeating: 0, count: length * size)
    try withBytes(of: &all) { all throws(MPIError) in
      let code = record.withUnsafeBytes {
        MPI_Allgather(
          $0.baseAddress, Int32(length), cmpi_byte(), all.baseAddress, Int32(length), cmpi_byte(), handle)
      }
      try check("MPI_Allgather", code)
    }
    return (0..<size).map { Array(all[$0 * length..<($0 + 1) * length]) }
  }

  private func reduce<T>(
    _ values: UnsafeMutableBufferPointer<T>, _ type: MPI_Datatype, _ operation: MPI_Op
  ) throws(MPIError) {
    guard let handle else { return }
    try forEachChunk(of: values.count) { range throws(MPIError) in
      let start = values.baseAddress?.advanced(by: range.lowerBound)
      let code = MPI_Allreduce(cmpi_in_place(), start, Int32(range.count), type, operation, handle)
      try check("MPI_Allreduce", code)
    }
  }

  private func reduced(_ values: [Int64], _ operation: MPI_Op) throws(MPIError) -> [Int64] {
    var result = values
    try withBytes(of: &result) { bytes throws(MPIError) in
      try reduce(bytes.bindMemory(to: Int64.self), cmpi_int64(), operation)
    }
    return result
  }
}

/// Calls `body` with 0..<count cut into ranges of at most `limit`, MPI 3.1 counting in 32 bits; not at all for a count
/// of 0.
package func forEachChunk(
  of count: Int, limit: Int = Int(Int32.max), _ body: (Range<Int>) throws(MPIError) -> Void
) throws(MPIError) {
  var start = 0
  while start < count {
    let end = min(count, start + limit)
    try body(start..<end)
    start = end
  }
}

/// `withUnsafeMutableBytes` for typed errors: the standard library's form of it throws any error.
private func withBytes<T>(
  of values: inout [T], _ body: (UnsafeMutableRawBufferPointer) throws(MPIError) -> Void
) throws(MPIError) {
  let result = values.withUnsafeMutableBytes { bytes in
    Result { () throws(MPIError) in try body(bytes) }
  }
  try result.get()
}
