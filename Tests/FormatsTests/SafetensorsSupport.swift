import Foundation

/// What the safetensors tests share.
enum SafetensorsSupport {
  /// Makes a directory, runs the body, removes the directory.
  static func withTemporaryDirectory<Result>(_ body: (String) throws -> Result) throws -> Result {
    let path = NSTemporaryDirectory() + "/safetensors-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try body(path)
  }

  /// A Python that can import what the tests compare with, or nil: then the caller says so and passes.
  /// ICP_PYTHON names one; else `python3` of the PATH is tried.
  static func python(importing modules: String) -> String? {
    let candidates = [ProcessInfo.processInfo.environment["ICP_PYTHON"], "python3"].compactMap(\.self)
    return candidates.first { runPython($0, "import \(modules)")?.status == 0 }
  }

  static func runPython(_ python: String, _ script: String, _ arguments: [String] = []) -> (
    status: Int32, output: String
  )? {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [python, "-c", script] + arguments
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
