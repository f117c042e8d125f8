import Formats
import Testing

@Suite struct EventFileTests {
  @Test func `CRC-32C is Castagnoli's`() {
    #expect(Checksum.crc32c("123456789".utf8) == 0xE306_9283)
    #expect(Checksum.crc32c([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
  }

  @Test func `a file's head and a scalar are TensorFlow's bytes`() {
    let version: [UInt8] =
      [0x18, 0, 0, 0, 0, 0, 0, 0, 0xA3, 0x7F, 0x4B, 0x22, 0x09, 0, 0, 0, 0, 0, 0, 0xF0, 0x3F, 0x1A, 0x0D]
      + Array("brain.Event:2".utf8) + [0x86, 0xBF, 0x57, 0x7A]
    #expect(EventFile.head(wallTime: 1) == version)
    let loss: [UInt8] =
      [0x1A, 0, 0, 0, 0, 0, 0, 0, 0x12, 0x9B, 0xD8, 0x2D, 0x09, 0, 0, 0, 0, 0, 0, 0, 0x40, 0x10, 0x07, 0x2A, 0x0D]
      + [0x0A, 0x0B, 0x0A, 0x04] + Array("loss".utf8) + [0x15, 0, 0, 0, 0x3F, 0xC3, 0x3F, 0xC2, 0x4A]
    let event = EventFile.Event(wallTime: 2, step: 7, values: [.init(tag: "loss", number: 0.5)])
    #expect(EventFile.record(event) == loss)
    #expect(EventFile.wallTimes(version + loss) == [7: 2])
    // A file that was cut, as a kill cuts it.
    for count in 0..<loss.count { #expect(EventFile.wallTimes(version + loss[..<count]).isEmpty) }
  }
}
