import Foundation
import TestSupport
import Testing

/// What fuzzing found, and what it began with (Tests/Corpus; launch/fuzz): every file again, through the same readers,
/// each of which checks its errors, in a program of its own (Tests/Executable/CorpusProbe) that counts what it
/// allocates.
@Suite struct `A file from anybody` {
  private static let corpus = PackageRoot.path + "/Tests/Corpus"

  /// Name, bytes, largest allocation, most at once, and outcome of each file, as the probe prints them.
  private func replay(_ target: String, _ files: [String]) throws -> [(name: String, outcome: String)] {
    // A second in all; a minute means a hang.
    let outcome = try Program.run([target] + files, program: Program.built("corpus-probe"), timeLimit: 60)
    let lines = outcome.standardOutput.split(separator: "\n")
    #expect(
      outcome.status == 0,
      "\(target): after \(lines.last ?? "nothing"): \(outcome.standardError); \(lines.filter { $0.contains("TOO MUCH") })"
    )
    return lines.compactMap { line in
      let parts = line.split(separator: " ", maxSplits: 4)
      return parts.count == 5 ? (String(parts[0]), String(parts[4])) : nil
    }
  }

  @Test(
    arguments: "config plan checkpoint idx cifar gzip labels sweep jpeg png tar npz onnx".split(separator: " ").map(
      String.init))
  func `is read or refused with the right error, in little memory`(target: String) throws {
    // libFuzzer does not begin without the dictionary that launch/fuzz names.
    #expect(FileManager.default.fileExists(atPath: "\(PackageRoot.path)/Tests/Fuzz/Dictionaries/\(target).txt"))
    let names = try FileManager.default.contentsOfDirectory(atPath: "\(Self.corpus)/\(target)").sorted()
    let seen = try replay(target, names.map { "\(Self.corpus)/\(target)/\($0)" })
    #expect(seen.map(\.name) == names)
    for (name, outcome) in seen {
      if name.hasPrefix("good-") { #expect(outcome == "accepted", "\(target)/\(name)") }
      if name.hasPrefix("bad-") { #expect(outcome.hasPrefix("refused: "), "\(target)/\(name)") }
    }
  }

  /// Too large to be kept: what hostile headers of some megabytes take. The probe's allowance is twice the file in one
  /// piece, eight times in all. Made in the test: an argument of a test is written whole into the record of the tests.
  @Test(.long, arguments: LargeHeader.allCases)
  func `takes no more memory when it is large`(header: LargeHeader) throws {
    let folder = try TemporaryDirectory()
    let text = Data("{\(header.text)}".utf8)
    var file = withUnsafeBytes(of: UInt64(text.count).littleEndian) { Data($0) } + text
    file.append(Data(count: header.bytes))
    try file.write(to: URL(fileURLWithPath: folder.path("large")))
    let seen = try replay("checkpoint", [folder.path("large")])
    #expect(seen.count == 1 && seen[0].outcome.hasPrefix("refused: "))
  }

  enum LargeHeader: CaseIterable {
    /// 100,000 of them; of a million numbers; a million entries; 2 MB, as integers of 16 bits.
    case emptyTensors, shape, metadata, bytesAsIntegers

    var text: String {
      switch self {
      case .emptyTensors:
        (0..<100_000).map { #""\#($0)":{"dtype":"F4","shape":[0],"data_offsets":[0,0]}"# }.joined(separator: ",")
      case .shape:
        #""a":{"dtype":"F32","shape":["# + String(repeating: "1,", count: 1_000_000) + #"1],"data_offsets":[0,4]}"#
      case .metadata: #""__metadata__":{"# + (0..<1_000_000).map { #""\#($0)":"""# }.joined(separator: ",") + "}"
      case .bytesAsIntegers: #""a":{"dtype":"U8","shape":[2000000],"data_offsets":[0,2000000]}"#
      }
    }

    /// Of the tensor.
    var bytes: Int {
      switch self {
      case .emptyTensors, .metadata: 0
      case .shape: 4
      case .bytesAsIntegers: 2_000_000
      }
    }
  }
}
