import Checkpointing
import Configuration
import Files
import Foundation
import Glibc
import MPI
import Reporting
import Runtime
import Sessions

/// One run of a study.
extension SweepSession {
  /// What a run itself can be to blame for: its configuration, its data, numbers that are not finite.
  private static let ownFailures: Set<Int32> = [ExitCode.usage, 65, ExitCode.notFinite]

  /// Returns what keeps the group from taking another one.
  func make(_ index: Int, _ configuration: RunConfiguration) throws -> SweepEnding? {
    let run = folder.runs[index]
    let directory = folder.directory(index)
    let watch = Stopwatch()
    supervision.beginRun(limit: configuration.watchdog.seconds)
    var note = RunNote(run, configuration)
    do {
      let session = TrainingSession(
        configuration: configuration, name: run.name, runDirectory: directory, resume: .auto, communicator: group,
        supervision: supervision, isQuiet: true)
      let accuracy = try session.run().report.test?.accuracy
      // JSON has no other numbers.
      note.testAccuracy = accuracy.flatMap { $0.isFinite ? $0 : nil }
    } catch let error as SharedError where error.exitCode == ExitCode.stopped {
      return .stopped
    } catch let error as SharedError where Self.ownFailures.contains(error.exitCode) {
      note.exitStatus = error.exitCode
      note.error = error.description
    } catch let error as SharedError {
      return .broken(error.exitCode, "\(run.name): \(error)")
    }
    do {
      try group.collectively {
        guard group.rank == 0 else { return }
        let made = StudyRun(
          directory: directory, point: note.point, variant: note.variant, seed: note.seed,
          epochs: StudyRun.epochs(in: directory))
        note.trainingSeconds = made.trainingSeconds.last
        try note.write(to: directory)
        // After the note: a kill in between costs room on the disk, and no run.
        if note.exitStatus == nil { prune(directory) }
        tell(run, note, figure: figure(of: made), seconds: watch.seconds, finished: try folder.finishedCount())
      }
    } catch let error as SharedError {
      return .broken(error.exitCode, "\(run.name): \(error)")
    }
    return nil
  }

  /// Keeps of the checkpoints what the sweep says.
  private func prune(_ directory: String) {
    guard sweep.checkpoints != .all else { return }
    let folder = "\(directory)/checkpoints"
    let names = ((try? System().list(folder)) ?? []).filter(CheckpointStore.isOurs)
    // By number: from 10 million on, names do not sort as numbers.
    let last = names.max { (CheckpointStore.step(of: $0) ?? -1) < (CheckpointStore.step(of: $1) ?? -1) }
    for name in names where sweep.checkpoints == .none || name != last { unlink("\(folder)/\(name)") }
  }

  /// What a run came to, in one figure: of a search, by which it chooses.
  private func figure(of run: StudyRun) -> String {
    let metric = sweep.search?.metric ?? "test_accuracy"
    let value = run.last(metric) ?? .nan
    return "\(sweep.search == nil ? "test" : metric) "
      + (Comparison.isFraction(metric) ? percent(value) : decimal(value, places: 4))
  }

  private func tell(_ run: SweepRun, _ note: RunNote, figure: String, seconds: Double, finished: Int) {
    let result = note.error.map { "FAILED (\(note.exitStatus!)): \($0)" } ?? figure
    let (count, done) = (folder.runs.count, finished - finishedAtStart)
    let left = done > 0 ? "  about \(duration(total.seconds / Double(done) * Double(count - finished))) left" : ""
    console.line("\(finished)/\(count)  \(run.name)  \(result)  \(duration(seconds))\(finished < count ? left : "")")
  }
}
