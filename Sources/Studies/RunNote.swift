import Configuration
import Files
import Foundation
import Reporting

/// What becomes of a run in a study: `result.json` in its directory once it is done, or `failed.json`.
package struct RunNote: Codable, Sendable {
  package var point: String
  package var variant: String
  package var seed: Int
  /// Of the configuration that it ran with, which `config.yaml` beside it shows.
  var configuration: String
  /// Of the file that labels came from, if they did: another file under the same name is another run.
  var labelFile: String?
  /// Where a search chose its settings.
  var provenance: String?
  /// What a search compares its trials by, of which this is one.
  var searchMetric: String?
  /// Of a trial: what was drawn, `icp.steps 2, icp.step_size 0.03`.
  var drawn: String?
  /// Of the last epoch; a fraction.
  var testAccuracy: Double?
  /// Of the run's steps, without evaluation and saving.
  var trainingSeconds: Double?
  /// What ended it; nil where it is done.
  package var exitStatus: Int32?
  package var error: String?

  init(_ run: SweepRun, _ configuration: RunConfiguration, exitStatus: Int32? = nil, error: String? = nil) {
    point = run.point.title
    variant = run.variant
    seed = run.seed
    provenance = run.provenance
    self.configuration = configuration.studyChecksum
    labelFile = configuration.labelFileChecksum
    searchMetric = run.searchMetric
    drawn = run.drawn
    self.exitStatus = exitStatus
    self.error = error
  }

  static let (done, failed) = ("result.json", "failed.json")

  /// The note of a directory, where there is one that can be read.
  static func read(_ directory: String) -> RunNote? {
    for name in [done, failed] {
      if let note = StudyFile.read(RunNote.self, "\(directory)/\(name)") { return note }
    }
    return nil
  }

  /// Whole or not at all, and the other kind of note goes.
  func write(to directory: String) throws(SaveError) {
    let (name, other) = exitStatus == nil ? (Self.done, Self.failed) : (Self.failed, Self.done)
    try StudyFile.write(StudyFile.json(self), to: "\(directory)/\(name)")
    unlink("\(directory)/\(other)")
  }
}

/// Files that a study leaves.
enum StudyFile {
  static func write(_ text: String, to path: String) throws(SaveError) {
    if let kind = FileKind(path), kind != .regular {
      throw SaveError(
        path: path, reason: "is \(kind.name), where a study's directory has a regular file",
        advice: "choose another directory with --directory", exitCode: 64)
    }
    do throws(SystemError) {
      let system = System()
      try system.makeDirectories(System.parentDirectory(path))
      try AtomicFile(system: system).replace(path, with: Array(text.utf8), verified: false)
    } catch { throw SaveError(error, option: "--directory") }
  }

  /// Nil where there is none, or it is none.
  static func read<Value: Decodable>(_ type: Value.Type, _ path: String) -> Value? {
    guard let bytes = try? RegularFile.read(path, followLinks: false) else { return nil }
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try? decoder.decode(type, from: Data(bytes))
  }

  /// Keys in snake case, sorted; a number that is not finite cannot be among the values.
  static func json(_ value: some Encodable) -> String {
    JSONText.of(value, pretty: true, snakeCase: true)
  }
}
