import Files
import Foundation
import Reporting
import Runtime
import TestSupport
import Testing

@Suite struct RecordsTests {
  private func step(_ step: Int, extra: NamedValues = [:]) -> Record {
    .step(
      step, epoch: 0,
      [
        "images_per_second": .number(1e20), "task_loss": .number(2.5), "total_loss": .number(1e-7),
        "alpha": .number(1), "gradient_norm": .number(.nan), "learning_rate": .number(1e-3),
        "perturbation": .number(0.1), "loss_at_x0": .number(.infinity),
      ] + extra)
  }

  private func withLog(_ body: (MetricsLog, _ text: () throws -> String) throws -> Void) throws {
    let folder = try TemporaryDirectory()
    let path = folder.path("metrics.jsonl")
    try body(try MetricsLog(path: path)) { try String(contentsOfFile: path, encoding: .utf8) }
  }

  @Test func `a step's record has its keys in order, and null for what is no number`() {
    #expect(
      step(3, extra: ["distillation_loss_per_layer": .list([0.5, .nan]), "beta": .number(nil)]).json
        == #"{"kind":"step","step":3,"epoch":0,"task_loss":2.5,"distillation_loss":null,"total_loss":1e-07,"#
        + #""alpha":1.0,"gradient_norm":null,"learning_rate":0.001,"perturbation":0.1,"loss_at_x0":null,"#
        + #""loss_at_xT":null,"images_per_second":1e+20,"beta":null,"distillation_loss_per_layer":[0.5,null]}"#
    )
  }

  @Test func `an epoch's record has validation keys only where there is a validation split`() {
    let scores = SplitScores(loss: 0.5, accuracy: 0.75, f1: 0.7)
    let plain = Record.epoch(1, step: 20, trainLoss: 1.5, trainAccuracy: 0.5, test: scores, seconds: 2)
    #expect(
      plain.json == #"{"kind":"epoch","epoch":1,"step":20,"train_loss":1.5,"train_accuracy":0.5,"#
        + #""test_loss":0.5,"test_accuracy":0.75,"test_f1":0.7,"seconds":2.0}"#)
    let validated = Record.epoch(
      1, step: 20, trainLoss: 1.5, trainAccuracy: 0.5, validation: scores, test: nil, seconds: 2)
    #expect(
      validated.json.contains(#""validation_f1":0.7,"test_loss":null,"test_accuracy":null,"test_f1":null"#))
  }

  @Test func `a final record holds its values in their order, and goes at any resume`() throws {
    let final = Record.final(
      step: 3, epoch: 1, ["samples": .integer(20), "b": .list([0.5, 1]), "a": .number(0.25)])
    #expect(final.json == #"{"kind":"final","step":3,"epoch":1,"samples":20,"b":[0.5,1.0],"a":0.25}"#)
    try withLog { log, text in
      try log.append(step(3))
      try log.append(final)
      try log.truncate(afterStep: 3)
      #expect(try text() == step(3).json + "\n")
    }
  }

  @Test func `every line is JSON that reads back to the same numbers`() throws {
    let line = step(3).json
    let object = try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    #expect(object["total_loss"] as? Double == 1e-7)
    #expect(object["images_per_second"] as? Double == 1e20)
    #expect(object["gradient_norm"] is NSNull)
  }

  @Test func `a resume drops the records after its step and a torn last line`() throws {
    try withLog { log, text in
      for number in 1...3 { try log.append(step(number)) }
      try log.append(.epoch(0, step: 3, trainLoss: 1, trainAccuracy: 1, test: nil, seconds: 1))
      let whole = try text()
      try log.truncate(afterStep: 3)
      #expect(try text() == whole)
      let torn = try #require(FileHandle(forWritingAtPath: log.path))
      try torn.seekToEnd()
      try torn.write(contentsOf: Data(#"{"kind":"step","step":2,"task"#.utf8))
      try log.truncate(afterStep: 2)
      #expect(try text() == step(1).json + "\n" + step(2).json + "\n")
      // The log goes on in the file that is there now.
      try log.append(step(3))
      #expect(try text().hasSuffix(step(3).json + "\n"))
      try log.synchronize()
      try log.truncate(afterStep: 0)
      #expect(try text() == "")
    }
  }

  @Test func `a file that is cut is old or new, whatever call fails, and its directory is synchronised`() throws {
    for failing in ["open", "write", "fsync", "rename"] {
      let folder = try TemporaryDirectory()
      let file = folder.path("metrics.jsonl")
      let log = try MetricsLog(path: file)
      for number in 1...3 { try log.append(step(number)) }
      let before = FileManager.default.contents(atPath: file)
      // Opened once for the records; the next one is the cut's.
      let faults = CallFaults { index, call in index > 1 && call == failing ? EIO : nil }
      let cut = try MetricsLog(path: file, system: faults.system)
      #expect(throws: SaveError.self, "\(failing)") { try cut.truncate(afterStep: 1) }
      #expect(failing == "fsync" || FileManager.default.contents(atPath: file) == before)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["metrics.jsonl"])
    }
    let folder = try TemporaryDirectory()
    let faults = CallFaults { _, _ in nil }
    let log = try MetricsLog(path: folder.path("metrics.jsonl"), system: faults.system)
    for number in 1...3 { try log.append(step(number)) }
    // Made anew, so that its name is not lost in a power cut that a checkpoint outlives.
    #expect(faults.made.prefix { $0 != "write" }.contains("fsync"))
    try log.truncate(afterStep: 1)
    #expect(faults.made.drop { $0 != "rename" }.contains("fsync"))
  }

  @Test func `a full disk under the log is an error that says so`() throws {
    let folder = try TemporaryDirectory()
    let file = folder.path("metrics.jsonl")
    let log = try MetricsLog(path: file, system: System { $0 == "write" ? ENOSPC : nil })
    let error = #expect(throws: SaveError.self) { try log.append(step(1)) }
    #expect(error?.description.contains("\(file): write: No space left on device; free some space") == true)
    #expect(error?.exitCode == 74)
    #expect(throws: SaveError.self) { try MetricsLog(path: "/nowhere/metrics.jsonl") }
  }

  @Test func `a full disk leaves no half of a record`() throws {
    let folder = try TemporaryDirectory()
    let mount = ["-t", "tmpfs", "-o", "size=16k", "tmpfs", folder.path]
    guard try Program.run(executable: "mount", mount, timeLimit: 60).status == 0 else {
      print("SKIPPED: mounting a small tmpfs needs root and was refused; no real full disk was tried")
      return
    }
    defer { _ = try? Program.run(executable: "umount", [folder.path], timeLimit: 60) }
    let log = try MetricsLog(path: folder.path("metrics.jsonl"))
    #expect(throws: SaveError.self) { for number in 1...1000 { try log.append(step(number)) } }
    let text = try String(contentsOfFile: log.path, encoding: .utf8)
    #expect(text.hasSuffix("}\n"))
    #expect(text.count > 4096)
  }
}
