import Foundation
import MPI
import Reporting
import Runtime
import Supervision

/// Writes what all ranks did in chosen steps, once the last of them has ended (`icp train --trace`).
package final class StepTracer: RunObserver {
  private let trace: PhaseTrace
  private let journal: RunJournal?

  /// `journal`: nil on other ranks than 0.
  package init(_ trace: PhaseTrace, _ journal: RunJournal?) {
    self.trace = trace
    self.journal = journal
  }

  package func stepEnded(_ step: FinishedStep, signals: Int64, of trainer: Trainer) throws {
    guard trainer.clock.step == min(trace.steps.upperBound, trainer.lastStep) else { return }
    let communicator = trainer.communicator
    let end = PhaseTrace.now
    let hosts = try communicator.gatherVarying(Array(Platform.host.utf8)).map { String(decoding: $0, as: UTF8.self) }
    let clocks = try ClockAlignment(communicator, hosts: hosts)
    let own = [end] + trace.entries.flatMap { [Int64($0.phase.rawValue), Int64($0.step), $0.time] }
    let ranks = try communicator.gatherVarying(own.flatMap(bytes(of:))).map(integers(in:))
    journal?.write(
      TraceFile(
        zip(ranks.indices, ranks).map { rank, values in
          TraceFile.Rank(
            host: hosts[rank], entries: Self.entries(values.dropFirst()), end: values[0], offset: clocks.offsets[rank])
        }, uncertainty: clocks.uncertainty, program: Platform.description),
      of: trace.steps)
  }

  private static func entries(_ values: ArraySlice<Int64>) -> [PhaseTrace.Entry] {
    stride(from: values.startIndex, to: values.endIndex, by: 3).map {
      PhaseTrace.Entry(phase: Phase(rawValue: Int(values[$0]))!, step: Int(values[$0 + 1]), time: values[$0 + 2])
    }
  }
}

extension Trainer {
  /// Throws where a run that goes on from here makes none of these steps.
  package func check(traced steps: ClosedRange<Int>) throws(UsageError) {
    guard steps.upperBound > progress.step, steps.lowerBound <= lastStep else {
      throw UsageError(
        "--trace \(steps.lowerBound)-\(steps.upperBound): this start makes the steps \(progress.step + 1) to \(lastStep)"
      )
    }
  }
}
