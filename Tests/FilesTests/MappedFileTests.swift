import Files
import Foundation
import TestSupport
import Testing

@Suite struct MappedFileTests {
  private func reason(_ path: String) -> String {
    do {
      _ = try MappedFile(path: path)
      return "no error"
    } catch {
      return error.description
    }
  }

  @Test func `a mapped file shows the file's bytes`() throws {
    let folder = try TemporaryDirectory()
    let bytes = randomBytes(10_000)
    let file = try MappedFile(path: folder.write(bytes, to: "data"))
    #expect(Array(file.bytes) == bytes)
  }

  @Test func `an empty file is mapped as no bytes`() throws {
    let folder = try TemporaryDirectory()
    let file = try MappedFile(path: folder.write([UInt8](), to: "empty"))
    #expect(file.bytes.isEmpty)
  }

  @Test func `a missing file, a directory and a FIFO are refused, each by its name`() throws {
    let folder = try TemporaryDirectory()
    let fifo = "\(folder.path)/fifo"
    #expect(mkfifo(fifo, 0o600) == 0)
    #expect(reason("\(folder.path)/none") == "\(folder.path)/none: no such file")
    #expect(reason(folder.path) == "\(folder.path): is a directory, expected a regular file")
    #expect(reason(fifo) == "\(fifo): is a FIFO, expected a regular file")
  }
}
