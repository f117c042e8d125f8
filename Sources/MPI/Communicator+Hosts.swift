import CMPI

extension Communicator {
  /// Made when first asked for.
  final class Parts {
    var host: Communicator?
    var firsts: Communicator??
  }

  /// The ranks that share this host's memory. Every rank calls it. The corresponding C function is
  /// `MPI_Comm_split_type`.
  package func onThisHost() throws(MPIError) -> Communicator {
    guard let handle else { return self }
    if let host = parts.host { return host }
    var shared: MPI_Comm?
    let code = MPI_Comm_split_type(handle, Int32(MPI_COMM_TYPE_SHARED), Int32(rank), cmpi_info_null(), &shared)
    try check("MPI_Comm_split_type", code)
    let host = try Communicator(shared!)
    parts.host = host
    return host
  }

  /// One rank of each group, where this rank is the first of its own; nil on the others. Every rank calls it. The
  /// corresponding C function is `MPI_Comm_split`.
  /// - Parameter group: `onThisHost()`, or another part of this communicator.
  package func firsts(of group: Communicator) throws(MPIError) -> Communicator? {
    guard let handle else { return self }
    if let firsts = parts.firsts, group.parts === parts.host?.parts { return firsts }
    var part: MPI_Comm?
    try check("MPI_Comm_split", MPI_Comm_split(handle, group.rank == 0 ? 0 : 1, Int32(rank), &part))
    let firsts = group.rank == 0 ? try Communicator(part!) : nil
    if group.parts === parts.host?.parts { parts.firsts = .some(firsts) }
    return firsts
  }

  /// Sends `sent` to rank `peer` and receives as much from it at the same time; the other makes the same call. The
  /// corresponding C function is `MPI_Sendrecv`.
  package func exchange(
    _ sent: UnsafeMutableRawBufferPointer, into received: UnsafeMutableRawBufferPointer, with peer: Int
  ) throws(MPIError) {
    guard let handle else { return }
    let code = MPI_Sendrecv(
      sent.baseAddress, Int32(sent.count), cmpi_byte(), Int32(peer), 1, received.baseAddress, Int32(received.count),
      cmpi_byte(), Int32(peer), 1, handle, cmpi_status_ignore())
    try check("MPI_Sendrecv", code)
  }

  /// The records of all ranks, in their order, each as long as its rank made it.
  package func gatherVarying(_ record: [UInt8]) throws(MPIError) -> [[UInt8]] {
    let longest = Int(try maximum([Int64(record.count)])[0])
    let length = withUnsafeBytes(of: Int64(record.count).littleEndian) { Array($0) }
    let padding = [UInt8](repeating: 0, count: longest - record.count)
    return try gather(length + record + padding).map { bytes in
      let count = bytes.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
      return Array(bytes[8..<8 + count])
    }
  }
}
