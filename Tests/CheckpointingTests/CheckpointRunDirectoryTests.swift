import Checkpointing
import Files
import Foundation
import Testing

@Suite struct CheckpointRunDirectoryTests {
  private typealias Support = CheckpointSupport

  @Test func `a second run on one directory is refused, and told who holds it`() throws {
    try Support.withDirectory { path in
      do {
        let first = try RunDirectory(path: "\(path)/run")
        let error = #expect(throws: LockedError.self) { try RunDirectory(path: "\(path)/run", patience: 0.2) }
        #expect(error?.owner.contains("process \(getpid()) since 20") == true)
        #expect(error?.exitCode == 75)
        #expect(error?.description.hasPrefix("\(path)/run: in use by host ") == true)
        #expect(first.warnings == [])
      }
      _ = try RunDirectory(path: "\(path)/run", patience: 0)
    }
  }

  @Test func `a second run waits for the first to let go`() async throws {
    let path = NSTemporaryDirectory() + "/checkpoint-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: path) }
    var first: RunDirectory? = try RunDirectory(path: path)
    #expect(first?.path == path)
    let second = Task.detached { try RunDirectory(path: path, patience: 30).path }
    try await Task.sleep(for: .milliseconds(200))
    // The lock goes with its directory.
    first = nil
    #expect(try await second.value == path)
  }

  @Test func `what a killed writer left is removed at the next start, and nothing else`() throws {
    try Support.withDirectory { path in
      try Support.write(Array("{\"kind\":\"step\",\"step\":1}\n".utf8), "\(path)/metrics.jsonl")
      try FileManager.default.createDirectory(
        atPath: "\(path)/checkpoints", withIntermediateDirectories: true)
      for name in [
        "config.yaml.tmp.77", "my.tmp.notes", "mine.tmp.77", "checkpoints/step-0000001.safetensors.tmp.4242",
      ] {
        try Support.write([1], "\(path)/\(name)")
      }
      let run = try RunDirectory(path: path)
      #expect(try Support.names(path) == [".lock", "checkpoints", "metrics.jsonl", "mine.tmp.77", "my.tmp.notes"])
      #expect(try Support.names(run.checkpointsPath) == [])
    }
  }

  @Test func `a place that cannot be written is an error with its path and what to do`() throws {
    try Support.withDirectory { path in
      try Support.write([1], "\(path)/file")
      for bad in ["\(path)/file", "\(path)/file/run", "/proc/nowhere/run"] {
        let error = #expect(throws: SaveError.self) { try RunDirectory(path: bad) }
        #expect(error?.exitCode == 74)
        #expect(error?.description.contains("--run-dir") == true || bad.hasPrefix("/proc"))
      }
      guard getuid() != 0 else {
        print("SKIPPED: root may write anywhere; a directory without write permission was not tried")
        return
      }
      try FileManager.default.createDirectory(atPath: "\(path)/fixed", withIntermediateDirectories: true)
      chmod("\(path)/fixed", 0o555)
      #expect(throws: SaveError.self) { try RunDirectory(path: "\(path)/fixed") }
      #expect(throws: SaveError.self) { try RunDirectory(path: "\(path)/fixed/run") }
    }
  }

  @Test func `a text replaces the one before`() throws {
    try Support.withStore { _, run in
      for text in ["first: 1\n", ""] {
        try run.write(text, to: "config.yaml")
        #expect(try String(contentsOfFile: run.configPath, encoding: .utf8) == text)
      }
    }
  }
}
