import Foundation
import TestSupport
import Testing

@Suite struct `launch/data` {
  private let folder: TemporaryDirectory
  private var target: String { folder.path("data") }

  init() throws {
    folder = try TemporaryDirectory()
  }

  @Test func `unpacks the files of a CIFAR archive flat, once its checksum is right`() throws {
    try makeCIFAR()
    try writeTable(["cifar-10-binary.tar.gz"], algorithm: "sha256")
    let outcome = try data("cifar10")
    #expect(outcome.status == 0, "\(outcome.standardError)")
    #expect(try names(in: target) == ["data_batch_1.bin", "test_batch.bin"])
    #expect(FileManager.default.contents(atPath: target + "/test_batch.bin") == Data("second".utf8))
    #expect(outcome.standardOutput.hasSuffix("-- --set data.path=\(target)\n"))
    #expect(try names(in: folder.path) == ["archives", "checksums", "data"])
  }

  @Test func `neither modes nor owners come from the archive`() throws {
    let source = try TemporaryDirectory()
    try source.write("bytes", to: "cifar-10-batches-bin/test_batch.bin")
    #expect(chmod(source.path("cifar-10-batches-bin/test_batch.bin"), 0o4777) == 0)
    try folder.write("", to: "archives/cifar-10-binary.tar.gz")
    let archive = folder.path("archives/cifar-10-binary.tar.gz")
    let made = try Program.run(
      executable: "tar",
      ["--owner=12345", "--group=12345", "-czf", archive, "-C", source.path, "cifar-10-batches-bin"])
    try #require(made.status == 0)
    try writeTable(["cifar-10-binary.tar.gz"], algorithm: "md5")
    #expect(try data("cifar10").status == 0)
    var facts = stat()
    #expect(stat(target + "/test_batch.bin", &facts) == 0)
    #expect(facts.st_mode & 0o7133 == 0, "\(String(facts.st_mode, radix: 8))")
    #expect(facts.st_uid == getuid() && facts.st_gid == getgid())
  }

  @Test func `the command it prints is one for a shell, with a value that is text in YAML`() throws {
    for name in idx { try folder.write("the bytes of \(name)", to: "archives/" + name) }
    try writeTable(idx, algorithm: "md5")
    let outcome = try Program.run(
      executable: PackageRoot.path + "/launch/data", ["mnist", "it's #2", "--from", "archives"],
      environment: ["ICP_DATA_CHECKSUMS": "checksums"], workingDirectory: folder.path)
    #expect(outcome.status == 0, "\(outcome.standardError)")
    let line = try #require(outcome.standardOutput.split(separator: "\n").last)
    let words = try Program.run(executable: "bash", ["-c", "printf '%s\n' \(line)"]).standardOutput
    #expect(words.hasSuffix("--set\ndata.path='./it''s #2'\n"), "\(words)")
  }

  @Test func `adds to a folder that is there`() throws {
    try makeCIFAR()
    try writeTable(["cifar-10-binary.tar.gz"], algorithm: "md5")
    try folder.write("mine", to: "data/notes.txt")
    #expect(try data("cifar10").status == 0)
    #expect(try names(in: target) == ["data_batch_1.bin", "notes.txt", "test_batch.bin"])
  }

  @Test func `a file of another data set is not replaced, and the same one is no hindrance`() throws {
    for name in idx { try folder.write("the bytes of \(name)", to: "archives/" + name) }
    try writeTable(idx, algorithm: "md5")
    try folder.write("Fashion's", to: "data/\(idx[0])")
    let refused = try data("mnist")
    #expect(refused.status == 65)
    #expect(refused.standardError.contains("data/\(idx[0]) is there, and is another file: choose another folder"))
    #expect(try names(in: target) == [idx[0]])
    #expect(FileManager.default.contents(atPath: "\(target)/\(idx[0])") == Data("Fashion's".utf8))
    unlink("\(target)/\(idx[0])")
    // Nobody waits for a pipe.
    mkfifo("\(target)/\(idx[0])", 0o600)
    #expect(try data("mnist").standardError.contains("data/\(idx[0]) is there, and is another file"))
    unlink("\(target)/\(idx[0])")
    for _ in 0..<2 { #expect(try data("mnist").status == 0) }
  }

  @Test func `a folder whose name has a colon is no host`() throws {
    try makeCIFAR()
    try writeTable(["cifar-10-binary.tar.gz"], algorithm: "md5")
    rename(folder.path("archives"), folder.path("a:b"))
    let outcome = try Program.run(
      executable: PackageRoot.path + "/launch/data", ["cifar10", "data", "--from", "a:b"],
      environment: ["ICP_DATA_CHECKSUMS": "checksums"], workingDirectory: folder.path)
    #expect(outcome.status == 0, "\(outcome.standardError)")
  }

  @Test(arguments: ["mnist", "fashion-mnist"])
  func `keeps the four files of an IDX set compressed`(set: String) throws {
    for name in idx { try folder.write("the bytes of \(name)", to: "archives/" + name) }
    try writeTable(idx, algorithm: "md5")
    let outcome = try data(set)
    #expect(outcome.status == 0, "\(outcome.standardError)")
    #expect(try names(in: target) == idx.sorted())
  }

  @Test func `refuses a file with another checksum, says both, and leaves nothing`() throws {
    for name in idx { try folder.write("the bytes of \(name)", to: "archives/" + name) }
    try writeTable(idx, algorithm: "md5")
    try folder.write("changed", to: "archives/" + idx[3])
    let outcome = try data("mnist")
    #expect(outcome.status == 65)
    // md5 of "changed" and of "the bytes of t10k-labels-idx1-ubyte.gz"
    let found = try sum("archives/" + idx[3], algorithm: "md5")
    let expected = try #require(table.first { $0.contains(idx[3]) }?.split(separator: " ")[1])
    #expect(
      outcome.standardError.contains("is not the published \(idx[3]): its md5 is \(found), not \(expected)"))
    #expect(try names(in: folder.path) == ["archives", "checksums"])
  }

  @Test func `refuses the archive of someone else under the published checksums`() throws {
    try makeCIFAR()
    let outcome = try data("cifar10")
    #expect(outcome.status == 65)
    #expect(
      outcome.standardError.contains("not c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"))
    #expect(try names(in: folder.path) == ["archives"])
  }

  @Test func `refuses a damaged archive and one without data`() throws {
    try folder.write("not compressed", to: "archives/cifar-10-binary.tar.gz")
    try writeTable(["cifar-10-binary.tar.gz"], algorithm: "md5")
    #expect(try data("cifar10").standardError.contains("cannot unpack"))
    try makeCIFAR(files: ["readme.html": "no data"])
    try writeTable(["cifar-10-binary.tar.gz"], algorithm: "md5")
    #expect(try data("cifar10").standardError.contains("holds no .bin file"))
    #expect(try names(in: folder.path) == ["archives", "checksums"])
  }

  @Test func `names what it knows, and what is missing`() throws {
    let unknown = try data("svhn")
    #expect(unknown.status == 64)
    #expect(
      unknown.standardError.contains("unknown data set svhn: cifar10, cifar100, mnist or fashion-mnist"))
    let missing = try data("mnist")
    #expect(missing.status == 65)
    #expect(missing.standardError.contains("archives/train-images-idx3-ubyte.gz is missing"))
    #expect(try names(in: folder.path) == [])
  }

  private let idx = [
    "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz",
  ]

  private func data(_ set: String) throws -> Program.Outcome {
    let own = FileManager.default.fileExists(atPath: folder.path("checksums"))
    return try Program.run(
      executable: PackageRoot.path + "/launch/data", [set, target, "--from", folder.path("archives")],
      environment: ["ICP_DATA_CHECKSUMS": own ? folder.path("checksums") : ""])
  }

  /// An archive laid out as the published one: a folder with data and other files.
  private func makeCIFAR(
    files: [String: String] = [
      "data_batch_1.bin": "first", "test_batch.bin": "second", "readme.html": "text",
    ]
  ) throws {
    let source = try TemporaryDirectory()
    for (name, text) in files { try source.write(text, to: "cifar-10-batches-bin/" + name) }
    try folder.write("", to: "archives/cifar-10-binary.tar.gz")
    let archive = folder.path("archives/cifar-10-binary.tar.gz")
    let outcome = try Program.run(
      executable: "tar", ["-czf", archive, "-C", source.path, "cifar-10-batches-bin"])
    try #require(outcome.status == 0)
  }

  private func writeTable(_ names: [String], algorithm: String) throws {
    let lines = try names.map { "\(algorithm) \(try sum("archives/" + $0, algorithm: algorithm)) \($0)\n" }
    try folder.write(lines.joined(), to: "checksums")
  }

  private var table: [Substring] {
    String(decoding: FileManager.default.contents(atPath: folder.path("checksums")) ?? Data(), as: UTF8.self)
      .split(separator: "\n")
  }

  private func sum(_ name: String, algorithm: String) throws -> String {
    let outcome = try Program.run(executable: algorithm + "sum", [folder.path(name)])
    return String(try #require(outcome.standardOutput.split(separator: " ").first))
  }

  private func names(in path: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: path).sorted()
  }
}
