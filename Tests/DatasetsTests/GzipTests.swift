import Formats
import Foundation
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
    let folder = try Folder()
    let bytes = randomBytes(count)
    let path = try folder.writeGzip("data.gz", bytes)
    #expect(try Gzip.decompress(contentsOf: path, limit: count) == bytes)
  }

  @Test func `members written one after the other are joined`() throws {
    let folder = try Folder()
    let first = try Data(contentsOf: URL(fileURLWithPath: folder.writeGzip("a.gz", [1, 2, 3])))
    let second = try Data(contentsOf: URL(fileURLWithPath: folder.writeGzip("b.gz", [4, 5])))
    let path = try folder.write("both.gz", [UInt8](first + second))
    #expect(try Gzip.decompress(contentsOf: path, limit: 5) == [1, 2, 3, 4, 5])
  }

  @Test func `a small file that inflates to far more than expected is refused at the limit`() throws {
    let folder = try Folder()
    let path = try folder.writeGzip("bomb.gz", [UInt8](repeating: 0, count: 50_000_000))
    #expect(reason(path, limit: 1000) == "\(path): inflates to more than the 1000 bytes expected")
    #expect(try Gzip.prefix(contentsOf: path, count: 16) == [UInt8](repeating: 0, count: 16))
  }

  @Test func `a file cut short at any byte is refused`() throws {
    let folder = try Folder()
    let whole = try [UInt8](
      Data(contentsOf: URL(fileURLWithPath: folder.writeGzip("data.gz", randomBytes(100)))))
    for length in 0..<whole.count {
      let path = try folder.write("cut.gz", Array(whole[..<length]))
      #expect(reason(path) == "\(path): is truncated: the gzip stream goes on after byte \(length)")
    }
  }

  @Test func `a flipped bit, bytes that follow, and a file of another kind are refused`() throws {
    let folder = try Folder()
    let whole = try [UInt8](
      Data(contentsOf: URL(fileURLWithPath: folder.writeGzip("data.gz", randomBytes(100)))))
    var flipped = whole
    flipped[whole.count - 20] ^= 1
    #expect(
      reason(try folder.write("a.gz", flipped)).contains("is not valid gzip: incorrect data check near byte"))
    #expect(
      reason(try folder.write("b.gz", whole + [7, 7, 7])).contains(
        "is not valid gzip: incorrect header check"))
    #expect(reason(try folder.write("c.gz", Array("PK text".utf8))).contains("is not valid gzip"))
  }
}
