extension Communicator {
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
