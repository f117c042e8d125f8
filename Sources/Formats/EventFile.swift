import Files

/// TensorBoard's event files: records under checksums, each a protobuf message with a time, a step and numbers.
package enum EventFile {
  package struct Event: Equatable, Sendable {
    /// Seconds since 1970.
    package var wallTime: Double
    package var step: Int
    package var values: [Value]

    package struct Value: Equatable, Sendable {
      package var tag: String
      package var number: Float

      package init(tag: String, number: Float) { (self.tag, self.number) = (tag, number) }
    }

    package init(wallTime: Double, step: Int, values: [Value]) {
      self.wallTime = wallTime
      self.step = step
      self.values = values
    }
  }

  /// What every file begins with: the version of the format.
  package static func head(wallTime: Double) -> [UInt8] {
    var event = ProtobufWriter()
    event.double(1, wallTime)
    event.text(3, "brain.Event:2")
    return framed(event.bytes)
  }

  package static func record(_ event: Event) -> [UInt8] {
    var message = ProtobufWriter()
    message.double(1, event.wallTime)
    message.integer(2, event.step)
    message.message(5) { summary in
      for value in event.values {
        summary.message(1) {
          $0.text(1, value.tag)
          $0.float(2, value.number)
        }
      }
    }
    return framed(message.bytes)
  }

  /// Length, its checksum, the message, its checksum.
  private static func framed(_ message: [UInt8]) -> [UInt8] {
    func bytes(_ value: some FixedWidthInteger) -> [UInt8] { withUnsafeBytes(of: value.littleEndian) { Array($0) } }
    let length = bytes(UInt64(message.count))
    return length + bytes(masked(length)) + message + bytes(masked(message))
  }

  private static func masked(_ bytes: [UInt8]) -> UInt32 {
    let sum = Checksum.crc32c(bytes)
    return (sum >> 15 | sum << 17) &+ 0xA282_EAD8
  }

  /// When each step was recorded, as far as the file can be read: the last time of each.
  package static func wallTimes(_ file: [UInt8]) -> [Int: Double] {
    var times: [Int: Double] = [:]
    file.withUnsafeBytes { bytes in
      var at = 0
      while at + 16 <= bytes.count {
        let length = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self))
        guard length <= UInt64(bytes.count - at - 16) else { return }
        let message = UnsafeRawBufferPointer(rebasing: bytes[at + 12..<at + 12 + Int(length)])
        at += 16 + Int(length)
        var reader = ProtobufReader(message, path: "events")
        var (time, step) = (Double?.none, Int?.none)
        while let field = try? reader.next() {
          switch (field.number, field.payload) {
          case (1, .fixed64(let bits)): time = Double(bitPattern: bits)
          case (2, _): step = field.integer
          default: break
          }
        }
        if let time, let step { times[step] = time }
      }
    }
    return times
  }
}
