import Checkpointing

extension TrainingProgress {
  /// Moves on by one batch, to the next epoch after the last one; the sums stay until that one's first step.
  /// `remembersEpochs`: what an epoch came to stays through the next one.
  mutating func record(_ finished: FinishedStep, stepsPerEpoch: Int, remembersEpochs: Bool = false) {
    if position == 0 {
      lossSum = 0
      correct = 0
      samples = 0
    }
    if finished.isTaken {
      lossSum += finished.scalars.taskLoss * Double(finished.context.batchCount)
      correct += finished.scalars.correct
      samples += finished.context.batchCount
      refusedInRow = 0
    } else {
      refusedSteps += 1
      refusedInRow += 1
    }
    step += 1
    position += 1
    guard position == stepsPerEpoch else { return }
    epoch += 1
    position = 0
    if remembersEpochs { lastEpoch = EpochCounts(correct: correct, samples: samples) }
    awaitsEvaluation = true
  }
}
