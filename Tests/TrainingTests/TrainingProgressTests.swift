import Checkpointing
import Files
import Foundation
import Optimization
import Testing
import Training

@Suite struct TrainingProgressTests {
  @Test func `counts steps, batches and epochs, and sums an epoch's student passes`() throws {
    let notes = Notes()
    try TinyRun.trainer(TinyRun.plan(), observers: [notes]).run()
    for (index, step) in notes.steps.enumerated() {
      let epoch = notes.steps[index / 4 * 4...index]
      let progress = step.progress
      #expect(progress.step == index + 1 && progress.epoch == (index + 1) / 4 && progress.position == (index + 1) % 4)
      #expect(progress.awaitsEvaluation == (index % 4 == 3))
      #expect(progress.samples == epoch.reduce(0) { $0 + $1.samples })
      #expect(progress.correct == epoch.reduce(0) { $0 + $1.correct })
      #expect(progress.lossSum == epoch.reduce(0) { $0 + $1.loss * Double($1.samples) })
      #expect(progress.trainLoss == progress.lossSum / Double(progress.samples))
      #expect(progress.trainAccuracy == Double(progress.correct) / Double(progress.samples))
    }
  }

  @Test func `a refused step counts as a step, and adds nothing to the epoch`() throws {
    let notes = Notes()
    try TinyRun.trainer(TinyRun.plan(), probe: Breaker([1, 3]), observers: [notes]).run()
    #expect(notes.steps[3].progress.samples == 8 + 6 && notes.steps[3].progress.refusedSteps == 2)
    // A 0 would be the best loss of all.
    #expect(notes.steps[0].progress.trainLoss.isNaN && notes.steps[0].progress.trainAccuracy.isNaN)
  }

  @Test func `each rollback halves the learning rate`() {
    var progress = TrainingProgress()
    #expect(progress.learningRateScale == 1)
    progress.rollbacks = 3
    #expect(progress.learningRateScale == 0.125)
  }

  @Test func `is read as it was written, and as earlier versions wrote it`() throws {
    var progress = TrainingProgress()
    progress.step = 7
    progress.lossSum = 0.1 + 0.2
    progress.refusedSteps = 2
    progress.refusedInRow = 1
    progress.rollbacks = 1
    progress.awaitsEvaluation = true
    progress.lastEpoch = .init(correct: 3, samples: 7)
    var plateau = Plateau()
    _ = plateau.judge(0.3, higherIsBetter: true, epoch: 0, patience: 2)
    progress.plateau = plateau
    progress.extensions = [2]
    let written = try JSONEncoder().encode(progress)
    #expect(try JSONDecoder().decode(TrainingProgress.self, from: written) == progress)
    let earlier =
      #"{"step":7,"epoch":0,"position":0,"lossSum":0.30000000000000004,"correct":0,"samples":0,"refusedSteps":2}"#
    progress.refusedInRow = 0
    progress.rollbacks = 0
    progress.awaitsEvaluation = false
    progress.lastEpoch = nil
    progress.plateau = nil
    progress.extensions = nil
    #expect(try JSONDecoder().decode(TrainingProgress.self, from: Data(earlier.utf8)) == progress)
  }

  /// After six steps of two epochs of four.
  static let forged: [(String, @Sendable (inout TrainingProgress) -> Void)] = [
    ("a step too far", { $0.step += 1 }), ("a negative epoch", { $0.epoch = -1 }),
    ("an epoch that overflows", { $0.epoch = .max }), ("a position beyond the epoch", { $0.position = 4 }),
    ("more right than there were", { $0.correct = $0.samples + 1 }), ("negative samples", { $0.samples = -1 }),
    ("more refused in a row than in all", { $0.refusedInRow = 1 }), ("negative rollbacks", { $0.rollbacks = -1 }),
    ("an earlier epoch with more right than there were", { $0.lastEpoch = .init(correct: 2, samples: 1) }),
    ("an evaluation awaited within an epoch", { $0.awaitsEvaluation = true }),
    ("a best epoch before the first", { $0.judge(1, higherIsBetter: true, epoch: -1) }),
    (
      "a best epoch after the last that was measured",
      {
        $0.judge(1, higherIsBetter: true, epoch: 1)
        $0.best?.epoch = 2
      }
    ),
    ("an epoch measured beyond any", { $0.judge(1, higherIsBetter: true, epoch: .max) }),
    ("an extension of a negative length", { $0.extensions = [2, -1] }),
    ("an extension beyond any epoch", { $0.extensions = [.max] }),
  ]

  @Test(arguments: forged.indices) func `numbers that are no run's are refused`(index: Int) throws {
    let trainer = try TinyRun.trainer(TinyRun.plan(["training.max_steps=6"]))
    try trainer.run()
    try trainer.state.checkProgress(stepsPerEpoch: 4, path: "p")
    Self.forged[index].1(&trainer.progress)
    let error = #expect(throws: FileError.self, "\(Self.forged[index].0)") {
      try trainer.state.checkProgress(stepsPerEpoch: 4, path: "p")
    }
    #expect(error?.reason.hasPrefix("its progress is not that of a run: ") == true)
  }
}
