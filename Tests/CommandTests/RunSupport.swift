import Formats
import Foundation
import TestSupport
import Testing

/// A folder with the smallest configuration that does everything, and commands run in it: 70 drawn images of 12x12, in
/// batches of 16 with a ragged one of 6, 20 steps; about half a second.
struct TinyRun {
  let folder: TemporaryDirectory

  static let configuration = """
    data: {format: glyphs, limit: 70, test_limit: 20, size: 12}
    model: {kind: resnet8}
    training: {epochs: 4, batch_size: 16, shards: 5}
    icp: {steps: 2}
    distillation: {warmup: 0}
    checkpoint: {keep: 50}
    logging: {every_steps: 1}
    """

  init(_ configuration: String = Self.configuration) throws {
    folder = try TemporaryDirectory()
    try folder.write(configuration, to: "tiny.yaml")
  }

  /// `icp train` into the folder `run` of this one. A minute means a hang, also on a busy machine.
  @discardableResult
  func train(
    _ settings: [String] = [], into run: String = "run", resume: String? = nil, ranks: Int? = nil,
    environment: [String: String] = [:], program: String = Program.icp, dryRun: Bool = false, more: [String] = []
  ) throws -> Program.Outcome {
    let arguments =
      ["train", "tiny.yaml", "--run-dir", run] + (resume.map { ["--resume", $0] } ?? [])
      + (dryRun ? ["--dry-run"] : []) + more
    return try command(
      arguments, settings, ranks: ranks, environment: environment, program: program)
  }

  /// Any command of `icp`; `settings` become `--set`.
  func command(
    _ arguments: [String], _ settings: [String] = [], ranks: Int? = nil, environment: [String: String] = [:],
    program: String = Program.icp
  ) throws -> Program.Outcome {
    try Program.run(
      arguments + settings.flatMap { ["--set", $0] }, program: program, environment: environment, ranks: ranks,
      timeLimit: 60, workingDirectory: folder.path)
  }

  /// `icp-faulty train` with a fault on purpose.
  func train(fault: String, _ settings: [String] = [], into run: String = "run", ranks: Int? = nil) throws
    -> Program.Outcome
  {
    try command(
      ["train", "tiny.yaml", "--run-dir", run, "--fault", fault], settings, ranks: ranks,
      program: Program.built("icp-faulty"))
  }

  /// A job whose ranks have arguments of their own. A script chooses: the mpirun of Open MPI 5.0.7 crashes with
  /// `-n 1 A : -n 1 B` (open-mpi/ompi#13303).
  func job(_ contexts: [[String]]) throws -> Program.Outcome {
    func quoted(_ word: String) -> String { "'" + word.replacing("'", with: #"'\''"#) + "'" }
    let cases = contexts.enumerated().map { "\($0)) set -- \($1.map(quoted).joined(separator: " ")) ;;\n" }
    try folder.write(
      "#!/bin/bash\ncase ${OMPI_COMM_WORLD_RANK:-$PMI_RANK} in\n\(cases.joined())esac\nexec \(quoted(Program.icp)) \"$@\"\n",
      to: "by-rank", executable: true)
    return try Program.run(
      [], program: folder.path("by-rank"), ranks: contexts.count, timeLimit: 60,
      workingDirectory: folder.path)
  }

  static let anywhere = [
    "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "OMPI_MCA_mpi_yield_when_idle": "1",
    "OMPI_MCA_btl_vader_single_copy_mechanism": "none", "OMPI_MCA_smsc": "^cma",
  ]

  func path(_ name: String) -> String { folder.path(name) }

  func checkpointPath(_ step: Int, of run: String = "run") -> String {
    let digits = "\(step)"
    return path("\(run)/checkpoints/step-\(String(repeating: "0", count: 7 - digits.count))\(digits).safetensors")
  }

  func checkpoint(_ step: Int, of run: String = "run") throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: checkpointPath(step, of: run)))
  }

  /// The bytes of every tensor: weights, running statistics, the optimiser's state.
  func tensors(_ step: Int, of run: String = "run") throws -> [String: [UInt8]] {
    let file = try SafetensorsFile(path: checkpointPath(step, of: run))
    return Dictionary(
      uniqueKeysWithValues: file.tensors.map { info in (info.name, file.withBytes(of: info) { Array($0) }) })
  }

  /// File names of the run's checkpoints, sorted.
  func checkpoints(of run: String = "run") throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: path("\(run)/checkpoints")).sorted()
  }

  /// The lines of metrics.jsonl.
  func records(of run: String = "run") throws -> [Record] {
    let text = try String(contentsOfFile: path("\(run)/metrics.jsonl"), encoding: .utf8)
    return try text.split(separator: "\n").map { line in
      let object = try JSONSerialization.jsonObject(with: Data(line.utf8))
      return Record(values: try #require(object as? [String: Any]))
    }
  }

  /// Cuts a file to `count` bytes.
  func truncate(_ file: String, to count: UInt64) throws {
    let handle = try #require(FileHandle(forWritingAtPath: file))
    try handle.truncate(atOffset: count)
    try handle.close()
  }

  /// Changes the lowest bit of the byte at `offset`, counted from the end where negative.
  func flipBit(of file: String, at offset: Int) throws {
    var bytes = try Data(contentsOf: URL(fileURLWithPath: file))
    bytes[offset < 0 ? bytes.count + offset : offset] ^= 1
    try bytes.write(to: URL(fileURLWithPath: file))
  }
}

/// One line of metrics.jsonl.
struct Record {
  let values: [String: Any]

  var kind: String { values["kind"] as? String ?? "" }
  var step: Int { values["step"] as? Int ?? -1 }
  func number(_ key: String) -> Double? { values[key] as? Double }
  func isNull(_ key: String) -> Bool { values[key] is NSNull }

  /// All but what was measured of time and of the process.
  var timeless: NSDictionary {
    let measured: Set = [
      "seconds", "images_per_second", "saving_seconds", "seconds_per_step", "processor_seconds_per_step",
      "resident_bytes", "open_files", "threads",
    ]
    return values.filter { !measured.contains($0.key) } as NSDictionary
  }
}
