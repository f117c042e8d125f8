import Formats
import Testing

@Suite struct EventFileTests {
  @Test func `a histogram counts every value once, in ranges from the least to the greatest`() throws {
    let values: [Float] = [-1, -0.99, 0, 0.5, 1, 1]
    let histogram = try #require(EventHistogram(values, ranges: 4))
    #expect(histogram.counts == [2, 0, 1, 3] && histogram.least == -1 && histogram.greatest == 1)
    #expect(histogram.count == 6 && abs(histogram.sum - 0.51) < 1e-6)
    #expect(EventHistogram([3, 3, 3])?.counts == [3])
    #expect(EventHistogram([]) == nil && EventHistogram([1, .nan]) == nil && EventHistogram([-.infinity]) == nil)
  }

  @Test func `records that are no numbers are told apart, and kept as they are`() {
    let number = EventFile.record(.init(wallTime: 1, step: 3, values: [.init(tag: "a", number: 2)]))
    let histogram = EventFile.record(
      .init(wallTime: 2, step: 4, values: [.init(tag: "h", .histogram(EventHistogram([1, 2])!))]))
    let file = EventFile.head(wallTime: 0) + number + histogram
    let stored = EventFile.stored(file)
    #expect(stored.map(\.step) == [3, 4] && stored.map(\.isOfNumbers) == [true, false])
    #expect(stored[1].bytes == histogram && stored[1].wallTime == 2)
    // A flipped bit ends what is read.
    var broken = file
    broken[broken.count - 6] ^= 1
    #expect(EventFile.stored(broken).map(\.step) == [3])
  }

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
    #expect(EventFile.stored(version + loss).map(\.bytes) == [loss])
    // A file that was cut, as a kill cuts it.
    for count in 0..<loss.count { #expect(EventFile.wallTimes(version + loss[..<count]).isEmpty) }
  }
}
