import Formats
import Foundation
import TestSupport
import Testing

@Suite struct GzipTests {
  private func reason(_ path: String, limit: Int = 1 << 20) -> String {
    do {
      return "no error, \(try Gzip.decompress(contentsOf: path, limit: limit).count) bytes"
    } catch {
      return error.description
    }
  }

  @Test(arguments: [0, 1, 1000, 700_000])
  func `what gzip packed comes back, up to exactly the limit`(count: Int) throws {
    let folder = try TemporaryDirectory()
    let bytes = randomBytes(count)
    let path = try folder.writeGzip(bytes, to: "data.gz")
    #expect(try Gzip.decompress(contentsOf: path, limit: count) == bytes)
  }

  @Test func `members written one after the other are joined`() throws {
    let folder = try TemporaryDirectory()
    let first = try Data(contentsOf: URL(fileURLWithPath: folder.writeGzip([1, 2, 3], to: "a.gz")))
    let second = try Data(contentsOf: URL(fileURLWithPath: folder.writeGzip([4, 5], to: "b.gz")))
    let path = try folder.write([UInt8](first + second), to: "both.gz")
    #expect(try Gzip.decompress(contentsOf: path, limit: 5) == [1, 2, 3, 4, 5])
  }

  @Test func `a small file that inflates to far more than expected is refused at the limit`() throws {
    let folder = try TemporaryDirectory()
    let path = try folder.writeGzip([UInt8](repeating: 0, count: 50_000_000), to: "bomb.gz")
    #expect(reason(path, limit: 1000) == "\(path): inflates to more than the 1000 bytes expected")
    #expect(try Gzip.prefix(contentsOf: path, count: 16) == [UInt8](repeating: 0, count: 16))
  }

  @Test func `a file cut short at any byte is refused`() throws {
    let folder = try TemporaryDirectory()
    let whole = try [UInt8](
      Data(contentsOf: URL(fileURLWithPath: folder.writeGzip(randomBytes(100), to: "data.gz"))))
    for length in 0..<whole.count {
      let path = try folder.write(Array(whole[..<length]), to: "cut.gz")
      #expect(reason(path) == "\(path): is truncated: the gzip stream goes on after byte \(length)")
    }
  }

  @Test func `a flipped bit, bytes that follow, and a file of another kind are refused`() throws {
    let folder = try TemporaryDirectory()
    let whole = try [UInt8](
      Data(contentsOf: URL(fileURLWithPath: folder.writeGzip(randomBytes(100), to: "data.gz"))))
    var flipped = whole
    flipped[whole.count - 20] ^= 1
    #expect(
      reason(try folder.write(flipped, to: "a.gz")).contains("is not valid gzip: incorrect data check near byte"))
    #expect(
      reason(try folder.write(whole + [7, 7, 7], to: "b.gz")).contains(
        "is not valid gzip: incorrect header check"))
    #expect(reason(try folder.write(Array("PK text".utf8), to: "c.gz")).contains("is not valid gzip"))
  }
}
