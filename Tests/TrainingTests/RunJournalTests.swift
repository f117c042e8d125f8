import Checkpointing
import Configuration
import Evaluation
import Files
import Foundation
import Logging
import Method
import Planning
import Reporting
import Synchronization
import TestSupport
import Testing
import Training

/// What rank 0 keeps of a run, on a disk that works and on one that does not.
@Suite(.timeLimit(.minutes(1))) struct RunJournalTests {
  private let folder: TemporaryDirectory
  private let plan: RunPlan

  init() throws {
    folder = try TemporaryDirectory()
    plan = try TinyRun.plan()
  }

  /// A journal of the folder's run, whose warnings go into the file `log`.
  private func journal(
    _ plan: RunPlan, keep: Int = 3, checkpoints: System = System(), records: System = System()
  ) throws -> RunJournal {
    let log = open(folder.path("log"), O_WRONLY | O_CREAT | O_APPEND, 0o600)
    let directory = try RunDirectory(path: folder.path("run"))
    return try RunJournal(
      directory: directory,
      store: CheckpointStore(
        directory: directory, keep: keep, metric: plan.configuration.checkpoint.metric.rawValue, system: checkpoints),
      plan: plan, console: .silent,
      logger: Logger(label: "test") { _ in ConsoleLogHandler(console: nil, output: log) }, system: records)
  }

  private func lines(_ name: String) -> [String] {
    let text = (try? String(contentsOfFile: folder.path(name), encoding: .utf8)) ?? ""
    return text.split(separator: "\n").map(String.init)
  }

  /// Kind, step and losses of the run's records.
  private var records: [String] {
    get throws {
      try lines("run/metrics.jsonl").map { line in
        let record = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        let loss = try #require((record["task_loss"] ?? record["test_loss"]) as? NSNumber)
        return "\(record["kind"]!) \(record["step"]!) \(String(format: "%.17g", loss.doubleValue))"
      }
    }
  }

  /// A trainer whose steps and epochs the journal records and saves, as those of `icp train`.
  private func trainer(_ plan: RunPlan, _ journal: RunJournal) -> Trainer {
    let saver = CheckpointSaver(plan.configuration, journal)
    let trainer = TinyRun.trainer(plan)
    let evaluator = Evaluator(model: trainer.model, backend: .onednn, rounds: SharedRounds(.alone))
    return Trainer(
      plan: plan, model: trainer.model, communicator: .alone,
      observers: [StepRecorder(journal), saver, EpochReporter(evaluator, journal, saver)])
  }

  private func context(_ epoch: Int = 0, isLogged: Bool = true) -> StepContext {
    StepContext(epoch: epoch, batchCount: 8, stage: .cyclic, alpha: 1, isLogged: isLogged)
  }

  /// A state of step `step`.
  private func state(_ step: Int) -> TrainingState {
    let trainer = TinyRun.trainer(plan)
    trainer.progress.step = step
    return trainer.state
  }

  // MARK: A run

  @Test func `a run leaves its configuration, a line a step and an epoch, and its newest checkpoints`() throws {
    let journal = try journal(plan)
    try trainer(plan, journal).run()
    #expect(
      try records.map { $0.split(separator: " ").prefix(2).joined(separator: " ") }
        == ["step 1", "step 2", "step 3", "step 4", "epoch 4", "step 5", "step 6", "step 7", "step 8", "epoch 8"])
    let newest = folder.path("run/checkpoints/step-0000008.safetensors")
    #expect(try journal.lastCheckpoint == newest && journal.newestCheckpoint() == newest)
    let text = lines("run/config.yaml").joined(separator: "\n")
    #expect(try RunConfiguration(yaml: text, name: "config.yaml") == plan.settledConfiguration)
    #expect(lines("log") == [])
  }

  @Test func `a run that goes on from a checkpoint has the records and the bits of the run never stopped`() throws {
    // In a scope of its own: the journal holds the run directory for as long as it lives.
    let bits = try {
      let whole = try self.trainer(plan, self.journal(plan))
      try whole.run()
      return whole.bits
    }()
    let expected = try records
    let later = folder.path("run/checkpoints/step-0000008.safetensors")
    let journal = try journal(plan)
    let path = folder.path("run/checkpoints/step-0000004.safetensors")
    let resumed = try #require(try Resumed.load(.alone) { path })
    let trainer = trainer(plan, journal)
    try trainer.resume(from: resumed.state, path: resumed.path)
    try journal.resume(at: trainer.progress, from: resumed)
    #expect(journal.lastCheckpoint == path)
    #expect(lines("log").contains { $0.contains(later) && $0.contains("set aside") }, "\(lines("log"))")
    #expect(try records == Array(expected[..<4]))
    try trainer.run()
    #expect(try records == expected)
    #expect(trainer.bits == bits)
  }

  @Test func `labels that noise changed are written down, and go with it`() throws {
    let noisy = try TinyRun.plan(["data.label_noise.kind=symmetric", "data.label_noise.rate=0.5"])
    _ = try journal(noisy)
    let labels = lines("run/labels.csv")
    #expect(labels.count == 31 && labels[0] == "index,true,given")
    #expect(labels.dropFirst().contains { $0.split(separator: ",")[1] != $0.split(separator: ",")[2] })
    _ = try journal(plan)
    #expect(!FileManager.default.fileExists(atPath: folder.path("run/labels.csv")))
  }

  // MARK: Records

  @Test func `records that a full disk does not take wait, with one warning, and come in order`() throws {
    let isFull = Mutex(false)
    let journal = try journal(
      plan, records: System { call in call == "write" && isFull.withLock(\.self) ? ENOSPC : nil })
    func record(_ steps: ClosedRange<Int>) {
      for step in steps {
        journal.record(step: step, context(), values: ["task_loss": .number(Double(step))], seconds: 1, meanLoss: 1)
      }
    }
    record(1...1)
    isFull.withLock { $0 = true }
    record(2...4)
    #expect(try records == ["step 1 1"])
    #expect(lines("log").count == 1 && lines("log")[0].hasSuffix("; the run goes on, and its records wait"))
    isFull.withLock { $0 = false }
    record(5...5)
    #expect(try records == (1...5).map { "step \($0) \($0)" })
  }

  @Test func `a step that is not logged leaves no line`() throws {
    let journal = try journal(plan)
    journal.record(step: 1, context(isLogged: false), values: ["task_loss": .number(1)], seconds: 1, meanLoss: 1)
    #expect(try records == [])
  }

  @Test func `a refinement that moves nothing is said once`() throws {
    let journal = try journal(plan)
    for (step, moved) in [(1, 0.1), (2, 1e-9), (3, 1e-9)] {
      journal.record(step: step, context(), values: ["perturbation": .number(moved)], seconds: 1, meanLoss: 1)
    }
    #expect(lines("log").count == 1 && lines("log")[0].contains("step 2: the refinement moves pixels by 1e-09"))
  }

  // MARK: Saves

  /// A disk on which, while it is broken, nothing is synchronised.
  private final class Disk: Sendable {
    let isBroken = Mutex(false)
    var system: System { System { [self] call in call == "fsync" && isBroken.withLock(\.self) ? EIO : nil } }
  }

  /// Saves a state of each step in turn, broken or not.
  private func save(_ saves: [(step: Int, breaks: Bool)], _ journal: RunJournal, _ disk: Disk) {
    for (step, breaks) in saves {
      disk.isBroken.withLock { $0 = breaks }
      journal.save(state(step))
      journal.collect(waits: true)
    }
  }

  @Test func `a failed save warns and costs nothing, and one that works starts the count anew`() throws {
    let disk = Disk()
    let journal = try journal(plan, checkpoints: disk.system)
    save([(1, false), (2, true), (3, true), (4, false), (5, true), (6, true)], journal, disk)
    #expect(journal.failure == nil)
    #expect(lines("log").count == 4)
    #expect(lines("log").allSatisfy { $0.hasSuffix("; the run goes on, the previous checkpoint stays") })
    let last = folder.path("run/checkpoints/step-0000004.safetensors")
    #expect(try journal.lastCheckpoint == last && journal.newestCheckpoint() == last)
  }

  @Test func `the third failed save in a row is the run's failure`() throws {
    let disk = Disk()
    let journal = try journal(plan, checkpoints: disk.system)
    save([(1, true), (2, true), (3, true)], journal, disk)
    #expect((journal.failure as? SaveError)?.exitCode == 74)
    #expect(lines("log").count == 2)
    // A save that works later does not take it back.
    save([(4, false)], journal, disk)
    #expect(throws: SaveError.self) { try journal.finishSaving() }
  }

  @Test func `the last save must not fail at all`() throws {
    let disk = Disk()
    let journal = try journal(plan, checkpoints: disk.system)
    disk.isBroken.withLock { $0 = true }
    journal.save(state(1))
    #expect(throws: SaveError.self) { try journal.finishSaving() }
    #expect(lines("log") == [])
  }

  @Test func `a checkpoint is never saved before the records that it stands for`() throws {
    let isFull = Mutex(true)
    let journal = try journal(
      plan, records: System { call in call == "write" && isFull.withLock(\.self) ? ENOSPC : nil })
    journal.record(step: 1, context(), values: ["task_loss": .number(1)], seconds: 1, meanLoss: 1)
    journal.save(state(1))
    #expect(try journal.newestCheckpoint() == nil)
    isFull.withLock { $0 = false }
    journal.save(state(1))
    try journal.finishSaving()
    #expect(try records == ["step 1 1"])
    #expect(journal.lastCheckpoint == folder.path("run/checkpoints/step-0000001.safetensors"))
  }

  @Test func `the best is the checkpoint that the metric chooses`() throws {
    let journal = try journal(plan, keep: 1)
    for (step, loss) in [(1, 0.5), (2, 0.25), (3, 0.75)] {
      journal.save(state(step))
      journal.judge(step: step, by: (loss, false))
    }
    try journal.finishSaving()
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path("run/checkpoints")).sorted()
    #expect(names == ["best.safetensors", "step-0000003.safetensors"])
    let best = try #require(try Resumed.load(.alone) { folder.path("run/checkpoints/best.safetensors") })
    #expect(best.state.progress.step == 2)
  }
}
