import Files
import Foundation
import TestSupport
import Testing

@Suite struct OutputFileTests {
  private let folder: TemporaryDirectory

  init() throws { folder = try TemporaryDirectory() }

  private func text(_ name: String) throws -> String {
    try String(contentsOfFile: folder.path(name), encoding: .isoLatin1)
  }

  private func write(_ name: String, keeping inputs: [String] = []) throws {
    try OutputFile(
      folder.path(name), of: .png, option: "--output", keeping: inputs.map { ("the input", folder.path($0)) }
    ).write(Array("\u{89}PNG new".unicodeScalars.map { UInt8($0.value) }))
  }

  private func refusal(_ name: String, keeping inputs: [String] = []) -> SaveError? {
    #expect(throws: SaveError.self) { try write(name, keeping: inputs) }
  }

  @Test(arguments: ["free", "there"]) func `a free name and a regular file are written`(name: String) throws {
    try folder.write("", to: "there")
    chmod(folder.path("there"), 0o640)
    try write(name)
    #expect(try text(name) == "\u{89}PNG new")
    // Permissions of a file that was there stay.
    var status = stat()
    #expect(stat(folder.path("there"), &status) == 0 && status.st_mode & 0o777 == 0o640)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).allSatisfy { !$0.contains(".tmp.") })
  }

  @Test func `under a name that the user did not give, only a regular file is replaced`() throws {
    func place(_ name: String) throws(SaveError) {
      _ = try OutputFile(folder.path(name), of: .png, option: "--output", keeping: [], isNamed: false)
    }
    try folder.write("", to: "there")
    for name in ["there", "free"] { try place(name) }
    symlink("there", folder.path("link"))
    symlink("none", folder.path("dangling"))
    mkfifo(folder.path("pipe"), 0o600)
    for (name, kind) in [("link", "a symbolic link"), ("dangling", "a symbolic link"), ("pipe", "a FIFO")] {
      let error = #expect(throws: SaveError.self) { try place(name) }
      #expect(error?.exitCode == 64 && error?.reason.hasPrefix("is \(kind), where the command has") == true)
    }
  }

  @Test(arguments: ["there", "free"]) func `links are written through, and stay`(target: String) throws {
    try folder.write("", to: "below/there")
    symlink("second", folder.path("first"))
    symlink("below/\(target)", folder.path("second"))
    try write("first")
    #expect(try text("below/\(target)") == "\u{89}PNG new")
    #expect(FileKind(folder.path("first")) == .link && FileKind(folder.path("second")) == .link)
  }

  @Test func `what the command reads is kept, by any spelling, link or second name`() throws {
    try folder.write("old", to: "in")
    symlink("in", folder.path("link"))
    link(folder.path("in"), folder.path("hard"))
    for name in ["in", "./in", "../\(folder.path.split(separator: "/").last!)/in", "link", "hard"] {
      let error = try #require(refusal(name, keeping: ["in"]))
      #expect(error.exitCode == 64)
      #expect(error.reason == "is the input, which would be lost")
    }
    #expect(try text("in") == "old")
  }

  @Test func `nothing is written into a folder that is read, and no file of another kind is replaced`() throws {
    try folder.write("", to: "data/train/a.png")
    try folder.write("notes", to: "notes")
    symlink("data/train", folder.path("link"))
    for name in ["data/b.png", "data/train/a.png", "link/b.png", "link/../b.png"] {
      #expect(refusal(name, keeping: ["data"])?.reason == "lies in the input, whose files are read", "\(name)")
    }
    #expect(refusal("notes")?.reason == "is not a PNG picture, and is not replaced")
    #expect(try text("notes") == "notes")
    try write("data.png", keeping: ["data"])
    try write("data.png")
  }

  @Test(arguments: ["~/sheet.png", "~", "~me/sheet.png", "$HOME/sheet.png", "${HOME}/sheet.png"])
  func `a path that only a shell understands is refused, with what was meant`(path: String) throws {
    let error = try #require(throws: SaveError.self) {
      try OutputFile(path, of: .png, option: "--pictures", keeping: [])
    }
    #expect(error.exitCode == 64 && error.advice.hasSuffix("with --pictures, or ./\(path) if that is its name"))
    _ = try OutputFile("./\(path)", of: .png, option: "--pictures", keeping: [])
    _ = try OutputFile("$1.png", of: .png, option: "--pictures", keeping: [])
  }

  @Test func `directories, sockets and loops of links are never replaced`() throws {
    symlink("loop", folder.path("loop"))
    for (name, says) in [
      ("", "is a directory, which is not replaced"), ("loop", "Too many levels of symbolic links"),
    ] {
      #expect(refusal(name)?.reason.contains(says) == true, "\(name)")
    }
  }

  @Test func `pipes and devices are written to, and stay what they are`() throws {
    mkfifo(folder.path("pipe"), 0o600)
    symlink("pipe", folder.path("to-pipe"))
    symlink("/dev/null", folder.path("to-null"))
    try write("to-null")
    for name in ["pipe", "to-pipe"] {
      // Opened without waiting, so that the writer need not wait either; 8 bytes lie in the pipe's buffer.
      let reader = open(folder.path("pipe"), O_RDONLY | O_NONBLOCK)
      defer { close(reader) }
      try write(name)
      var bytes = [UInt8](repeating: 0, count: 100)
      #expect(read(reader, &bytes, 100) == 8)
    }
    #expect(FileKind(folder.path("pipe")) == .pipe && FileKind("/dev/null") == .device)
  }

  @Test func `a device that takes nothing is an error of saving`() throws {
    let error = try #require(throws: SaveError.self) {
      try OutputFile("/dev/full", of: .png, option: "--output", keeping: []).write([1, 2, 3])
    }
    #expect(error.exitCode == 74)
  }
}
