import Optimization

/// How far a run is, and the running sums of its epoch: with the weights and the optimiser's state, all that a resumed
/// run needs, since every random number is addressed.
package struct TrainingProgress: Codable, Equatable, Sendable {
  /// Optimiser steps taken, over all epochs.
  package var step = 0
  /// Epochs begin at 0; `position` counts the batches of this one that are done.
  package var epoch = 0
  package var position = 0
  /// Sums of this epoch's student passes.
  package var lossSum = 0.0
  package var correct = 0
  package var samples = 0
  /// Steps that `training.non_finite: skip` dropped, and how many of them were the last ones.
  package var refusedSteps = 0
  package var refusedInRow = 0
  /// How often `training.non_finite: rollback` went back on the way here.
  package var rollbacks = 0
  /// The epoch before `epoch` has ended, but has no evaluation and no record yet, and was not compared with the best: a
  /// run that goes on from here makes them first.
  package var awaitsEvaluation = false
  /// What the student passes of the last whole epoch came to, where the method asks for it (`distillation.gate`).
  package var lastEpoch: EpochCounts?

  /// Of the epochs that were measured; nil without `training.patience`.
  package var best: Best?
  /// Nil without `schedule.kind: plateau`.
  package var plateau: Plateau?
  /// After how many epochs the run had come to its end, and was told to go on (`--extend`); nil where it never was.
  package var extensions: [Int]?

  package init() {}

  package struct EpochCounts: Codable, Equatable, Sendable {
    package var correct: Int
    /// Of taken steps.
    package var samples: Int

    package init(correct: Int, samples: Int) { (self.correct, self.samples) = (correct, samples) }

    /// 0 where every step was refused.
    package var accuracy: Double { samples == 0 ? 0 : Double(correct) / Double(samples) }
  }

  /// The best epoch so far, by the metric that chooses checkpoints.
  package struct Best: Codable, Equatable, Sendable {
    package var value: Double
    package var epoch: Int
    /// The last epoch that was measured.
    package var judged: Int

    /// Epochs without a better one.
    package var waited: Int { judged - epoch }
  }

  /// Takes the measurement of an epoch; a second time it changes nothing.
  package mutating func judge(_ value: Double, higherIsBetter: Bool, epoch: Int) {
    guard var known = best else { return best = Best(value: value, epoch: epoch, judged: epoch) }
    known.judged = epoch
    if higherIsBetter ? value > known.value : value < known.value { (known.value, known.epoch) = (value, epoch) }
    best = known
  }

  /// Each rollback halves the learning rate of all that follows.
  package var learningRateScale: Double { Double(sign: .plus, exponent: -rollbacks, significand: 1) }

  /// Not a number where every step of the epoch was refused: a 0 would be the best loss of all.
  package var trainLoss: Double { samples == 0 ? .nan : lossSum / Double(samples) }
  package var trainAccuracy: Double { samples == 0 ? .nan : Double(correct) / Double(samples) }
}

extension TrainingProgress {
  /// A checkpoint of an earlier version has neither `refusedInRow` nor `rollbacks`, and was saved after its evaluation.
  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    step = try values.decode(Int.self, forKey: .step)
    epoch = try values.decode(Int.self, forKey: .epoch)
    position = try values.decode(Int.self, forKey: .position)
    lossSum = try values.decode(Double.self, forKey: .lossSum)
    correct = try values.decode(Int.self, forKey: .correct)
    samples = try values.decode(Int.self, forKey: .samples)
    refusedSteps = try values.decode(Int.self, forKey: .refusedSteps)
    refusedInRow = try values.decodeIfPresent(Int.self, forKey: .refusedInRow) ?? 0
    rollbacks = try values.decodeIfPresent(Int.self, forKey: .rollbacks) ?? 0
    best = try values.decodeIfPresent(Best.self, forKey: .best)
    plateau = try values.decodeIfPresent(Plateau.self, forKey: .plateau)
    extensions = try values.decodeIfPresent([Int].self, forKey: .extensions)
    awaitsEvaluation = try values.decodeIfPresent(Bool.self, forKey: .awaitsEvaluation) ?? false
    lastEpoch = try values.decodeIfPresent(EpochCounts.self, forKey: .lastEpoch)
  }
}
