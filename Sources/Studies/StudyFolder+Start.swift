import Checkpointing
import Configuration
import Files
import Foundation
import Runtime

/// What earlier starts left.
extension StudyFolder {
  /// Before the first run of a start, on one rank: what earlier starts left must be of this sweep.
  /// - Parameters:
  ///   - redoing: runs made with another configuration are removed and made again; else they are refused.
  ///   - retrying: runs that failed are tried again.
  func prepare(redoing: Bool, retrying: Bool) throws {
    try checkPlaces()
    do { try System().makeDirectories(path) } catch { throw SaveError(error, option: "--directory") }
    // Variants and seeds may come and go, but not all at once: tables of two studies would be written over each other.
    if let earlier = StudyOutline.read(path), Set(earlier.runs).isDisjoint(with: runs.map(\.name)) {
      throw UsageError(
        "\(path) holds another study, with runs such as \(earlier.runs.first ?? "none"); choose another --directory")
    }
    var different: [Int] = []
    for index in runs.indices {
      guard let difference = try difference(index) else { continue }
      guard redoing else {
        throw UsageError(
          "\(directory(index)) was made with another configuration: \(difference); choose another --directory, or --redo to "
            + "remove and repeat such runs, and those whose equal compute was measured by them")
      }
      different.append(index)
    }
    for index in different {
      // What was measured by it does not hold any more, nor do the runs that went by it. The measure goes first: a kill
      // in between must not leave it.
      for other in runs.indices where isMeasured(other, by: index) {
        unlink(costFile(runs[other]))
        try remove(directory(other))
      }
      try remove(directory(index))
    }
    if retrying { for index in runs.indices { unlink("\(directory(index))/\(RunNote.failed)") } }
    // The outline first: it shows that the folder is a study's.
    try StudyFile.write(StudyFile.json(StudyOutline(sweep, runs: runs)), to: "\(path)/\(StudyOutline.name)")
    // The study's own file may have been given.
    guard !FileIdentity.same(sweep.source.name, "\(path)/sweep.yaml") else { return }
    try StudyFile.write(sweep.text, to: "\(path)/sweep.yaml")
  }

  /// Throws where files that are not this program's would be touched.
  func checkPlaces() throws(SaveError) {
    let folders = runs.flatMap { run in
      run.name.split(separator: "/").indices.map { last in
        run.name.split(separator: "/")[...last].joined(separator: "/")
      }
    }
    try OwnedFolder(
      path, option: "--directory", files: Comparison.fileNames + ["sweep.yaml", StudyOutline.name],
      folders: ["plots", "chosen"] + Set(folders).sorted()
    ).check("a study's directory") { StudyOutline.read(path) != nil }
    for index in runs.indices { try RunDirectory.check(directory(index), option: "--directory") }
  }

  /// Whether the length of a run, `index`, is measured by that of another; or is the other's own.
  private func isMeasured(_ index: Int, by other: Int) -> Bool {
    let (run, other) = (runs[index], runs[other])
    guard let partner = run.equalComputeWith, run.point.name == other.point.name else { return false }
    return other.variant == partner || other.variant == sweep.baseline
      || (other.variant == run.variant && measuredOtherwise(run) != nil)
  }

  /// Where a factor was measured with other variants than the study now names.
  private func measuredOtherwise(_ run: SweepRun) -> ConfigurationDifference? {
    guard let partner = run.equalComputeWith, let ratio = CostRatio(file: costFile(run)),
      ratio.variant != partner || ratio.baseline != sweep.baseline
    else { return nil }
    return ConfigurationDifference(
      key: "equal_compute_with", saved: "\(ratio.variant) over \(ratio.baseline)",
      current: "\(partner) over \(sweep.baseline!)")
  }

  /// Not while somebody is at work there.
  private func remove(_ directory: String) throws {
    guard FileManager.default.fileExists(atPath: directory) else { return }
    guard let lock = try claim(directory) else {
      throw UsageError("\(directory) is in use by another process; it cannot be made again now")
    }
    try withExtendedLifetime(lock) {
      try RunDirectory.removeRun(directory, others: [".claim", RunNote.done, RunNote.failed])
    }
  }

  /// The first key that a run on the disk has otherwise; nil where there is none.
  private func difference(_ index: Int) throws -> ConfigurationDifference? {
    if let difference = measuredOtherwise(runs[index]) { return difference }
    guard let current = try configuration(index), let saved = try saved(index)?.leavingOpen(what: current)
    else { return nil }
    if let note = RunNote.read(directory(index)), note.labelFile != current.labelFileChecksum {
      let (then, now) = (note.labelFile ?? "none", current.labelFileChecksum ?? "none")
      return ConfigurationDifference(
        key: "the contents of data.label_noise.file", saved: "checksum \(then)", current: "checksum \(now)")
    }
    guard saved.studyChecksum != current.studyChecksum else { return nil }
    return current.differences(from: saved).first
      ?? ConfigurationTable.keys.first { $0.role != .place && $0.write(saved) != $0.write(current) }.map {
        ConfigurationDifference(key: $0.path, saved: $0.write(saved), current: $0.write(current))
      }
  }
}
