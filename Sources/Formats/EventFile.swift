import Files

/// TensorBoard's event files: records under checksums, each a protobuf message with a time, a step and values.
package enum EventFile {
  package struct Event: Equatable, Sendable {
    /// Seconds since 1970.
    package var wallTime: Double
    package var step: Int
    package var values: [Value]

    package struct Value: Equatable, Sendable {
      package var tag: String
      package var content: Content

      package init(tag: String, _ content: Content) { (self.tag, self.content) = (tag, content) }
      package init(tag: String, number: Float) { self.init(tag: tag, .number(number)) }
    }

    package enum Content: Equatable, Sendable {
      case number(Float)
      case histogram(EventHistogram)
      /// A PNG file of 1 (grey) or 3 channels.
      case picture(png: [UInt8], width: Int, height: Int, channels: Int)
      /// What a run was told, by name: a row of the table of hyper-parameters. Its tag is `sessionTag`.
      case session([(name: String, value: Setting)])

      package static func == (one: Content, other: Content) -> Bool { bytes(of: one) == bytes(of: other) }

      private static func bytes(of content: Content) -> [UInt8] {
        var message = ProtobufWriter()
        content.write(to: &message)
        return message.bytes
      }
    }

    package enum Setting: Equatable, Sendable {
      case number(Double)
      case text(String)
      case flag(Bool)
    }

    package init(wallTime: Double, step: Int, values: [Value]) {
      self.wallTime = wallTime
      self.step = step
      self.values = values
    }
  }

  /// Under which TensorBoard looks for hyper-parameters.
  package static let sessionTag = "_hparams_/session_start_info"

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
          value.content.write(to: &$0)
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

  /// A record as a file has it.
  package struct Stored: Sendable {
    package var step: Int
    package var wallTime: Double
    /// Its values are plain numbers.
    package var isOfNumbers: Bool
    /// The whole record, with its checksums.
    package var bytes: [UInt8]
  }

  /// The records with a step, as far as the file can be read.
  package static func stored(_ file: [UInt8]) -> [Stored] {
    var records: [Stored] = []
    file.withUnsafeBytes { bytes in
      var at = 0
      while at + 16 <= bytes.count {
        let length = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self))
        guard length <= UInt64(bytes.count - at - 16) else { return }
        let end = at + 16 + Int(length)
        let message = UnsafeRawBufferPointer(rebasing: bytes[at + 12..<end - 4])
        let sum = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: end - 4, as: UInt32.self))
        guard masked(Array(message)) == sum else { return }
        if let (step, time, isOfNumbers) = facts(of: message) {
          records.append(Stored(step: step, wallTime: time, isOfNumbers: isOfNumbers, bytes: Array(bytes[at..<end])))
        }
        at = end
      }
    }
    return records
  }

  private static func facts(of message: UnsafeRawBufferPointer) -> (step: Int, time: Double, isOfNumbers: Bool)? {
    var reader = ProtobufReader(message, path: "events")
    var (time, step, isOfNumbers) = (Double?.none, Int?.none, true)
    while let field = try? reader.next() {
      switch (field.number, field.payload) {
      case (1, .fixed64(let bits)): time = Double(bitPattern: bits)
      case (2, _): step = field.integer
      case (5, .bytes(let summary)):
        var values = ProtobufReader(summary, path: "events")
        guard let value = (try? values.next())?.bytes else { continue }
        var parts = ProtobufReader(value, path: "events")
        isOfNumbers = false
        while let part = try? parts.next() { if part.number == 2 { isOfNumbers = true } }
      default: break
      }
    }
    guard let time, let step else { return nil }
    return (step, time, isOfNumbers)
  }

  /// When each step's numbers were recorded, as far as the file can be read: the last time of each.
  package static func wallTimes(_ file: [UInt8]) -> [Int: Double] {
    Dictionary(stored(file).filter(\.isOfNumbers).map { ($0.step, $0.wallTime) }) { $1 }
  }
}

extension EventFile.Event.Content {
  /// The field of TensorFlow's `Summary.Value`.
  fileprivate func write(to value: inout ProtobufWriter) {
    switch self {
    case .number(let number): value.float(2, number)
    case .picture(let png, let width, let height, let channels):
      value.message(4) {
        $0.integer(1, height)
        $0.integer(2, width)
        $0.integer(3, channels)
        $0.raw(4, png)
      }
    case .histogram(let histogram):
      value.message(5) {
        $0.double(1, histogram.least)
        $0.double(2, histogram.greatest)
        $0.double(3, histogram.count)
        $0.double(4, histogram.sum)
        $0.double(5, histogram.sumOfSquares)
        $0.doubles(6, histogram.limits)
        $0.doubles(7, histogram.counts)
      }
    case .session(let settings):
      // An empty tensor of floats, which a value of a plugin needs.
      value.message(8) {
        $0.integer(1, 1)
        $0.message(2) { $0.message(2) { $0.integer(1, 0) } }
      }
      value.message(9) {
        $0.message(1) {
          $0.text(1, "hparams")
          $0.message(2) { $0.message(3) { for setting in settings { setting.value.write(setting.name, to: &$0) } } }
        }
      }
    }
  }
}

extension EventFile.Event.Setting {
  /// An entry of a map to protobuf's `Value`.
  fileprivate func write(_ name: String, to session: inout ProtobufWriter) {
    session.message(1) { entry in
      entry.text(1, name)
      entry.message(2) {
        switch self {
        case .number(let number): $0.double(2, number)
        case .text(let text): $0.text(3, text)
        case .flag(let flag): $0.integer(4, flag ? 1 : 0)
        }
      }
    }
  }
}
