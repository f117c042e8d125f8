import Files
import Formats
import Foundation
import TestSupport
import Testing

/// Archives as Python's modules write them, and what a hostile hand makes of them is in Tests/Corpus (tar, npz).
struct ArchiveTests {
  @Test func `tar's members are found where they lie, whichever of its formats has long names`() throws {
    let folder = try TemporaryDirectory()
    let long = String(repeating: "d/", count: 90) + "picture.png"
    for format in ["USTAR_FORMAT", "GNU_FORMAT", "PAX_FORMAT"] {
      let names = format == "USTAR_FORMAT" ? ["a/b.png", "c.cls"] : ["a/b.png", "c.cls", long]
      let script = """
        import io, sys, tarfile
        with tarfile.open(sys.argv[1], "w", format=tarfile.\(format)) as archive:
            archive.add(sys.argv[2], "folder", recursive=False)
            for name in sys.argv[3:]:
                info = tarfile.TarInfo(name)
                info.size = len(name)
                archive.addfile(info, io.BytesIO(name.encode()))
        """
      let path = folder.path("\(format).tar")
      guard try Python.run(script, [path, folder.path("")] + names) else { return }
      let file = try MappedFile(path: path)
      let members = try TarFile(file).members
      #expect(members.map(\.name) == names)
      for member in members {
        #expect(file.bytes[member.offset..<member.offset + member.size].elementsEqual(member.name.utf8))
      }
    }
  }

  @Test func `zip's members are read, stored or deflated, and with zip64's sizes`() throws {
    let folder = try TemporaryDirectory()
    let path = folder.path("a.zip")
    let script = """
      import sys, zipfile
      with zipfile.ZipFile(sys.argv[1], "w") as archive:
          archive.writestr("stored", b"stored " * 100)
          archive.writestr("packed", b"packed " * 10000, zipfile.ZIP_DEFLATED)
          with archive.open("wide", "w", force_zip64=True) as member:
              member.write(b"wide " * 50)
          archive.writestr("empty", b"", zipfile.ZIP_DEFLATED)
          archive.comment = b"PK" * 20
      """
    guard try Python.run(script, [path]) else { return }
    let archive = try ZipFile(path: path)
    #expect(archive.members.map(\.name) == ["stored", "packed", "wide", "empty"])
    for (member, count) in zip(archive.members, [100, 10000, 50, 0]) {
      let word = Array("\(member.name) ".utf8)
      let block = try archive.contents(of: member, limit: 100_000)
      #expect(block.bytes.elementsEqual((0..<count).flatMap { _ in word }), "\(member.name)")
    }
    let error = #expect(throws: FileError.self) { try archive.contents(of: archive.members[1], limit: 1000) }
    #expect(error?.reason.hasPrefix("'packed': of 70000 bytes is larger") == true)
  }
}

private enum Python {
  /// Whether there is a Python, which then ran the script.
  static func run(_ script: String, _ arguments: [String]) throws -> Bool {
    let python = Process()
    python.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    python.arguments = ["python3", "-c", script] + arguments
    try python.run()
    python.waitUntilExit()
    guard python.terminationStatus != 127 else {
      print("NOTE: no python3: archives of its modules are not read")
      return false
    }
    #expect(python.terminationStatus == 0)
    return true
  }
}
