import Checkpointing
import Files
import Formats
import Foundation

extension CheckpointStore {
  /// What a run does at an epoch's end, the evaluation in between.
  mutating func save(_ snapshot: Snapshot, step: Int, metric: Double, higherIsBetter: Bool) throws(SaveError) -> Saved {
    let saved = try save(snapshot, step: step)
    try judge(step: step, metric: metric, higherIsBetter: higherIsBetter)
    return saved
  }
}

/// What the checkpoint tests share.
enum CheckpointSupport {
  /// A small snapshot that differs by step.
  static func snapshot(_ step: Int) -> Snapshot {
    Snapshot(
      tensors: [
        NamedTensor("fc.weight", shape: [2, 3], floats: (0..<6).map { Float($0 + step) }),
        NamedTensor("fc.bias", shape: [2], floats: [Float(step), -0.5]),
        NamedTensor("optimizer.first.fc.bias", shape: [2], floats: [0.25, Float(step)]),
        NamedTensor("bn1.num_batches_tracked", shape: [], integers: [Int64(step)]),
      ], metadata: ["config": "data:\n  format: \"glyphs\"\n", "epoch": "1"])
  }

  /// A directory of its own, removed afterwards.
  static func withDirectory<Result>(_ body: (String) throws -> Result) throws -> Result {
    let path = NSTemporaryDirectory() + "/checkpoint-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try body(path)
  }

  /// A run directory with a store of the given depth.
  static func withStore<Result>(
    keep: Int = 3, _ body: (inout CheckpointStore, RunDirectory) throws -> Result
  ) throws -> Result {
    try withDirectory { path in
      let run = try RunDirectory(path: "\(path)/runs/one")
      var store = CheckpointStore(directory: run, keep: keep)
      return try body(&store, run)
    }
  }

  static func names(_ path: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: path).sorted()
  }

  static func bytes(_ path: String) throws -> [UInt8] { try Array(Data(contentsOf: URL(filePath: path))) }

  static func write(_ bytes: [UInt8], _ path: String) throws {
    // A new file, so that a second name of the old one keeps its bytes.
    try? FileManager.default.removeItem(atPath: path)
    try Data(bytes).write(to: URL(filePath: path))
  }

  static func run(_ arguments: [String]) -> (status: Int32, output: String)? {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    process.standardInput = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return nil }
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: output, as: UTF8.self))
  }
}
