/// What chooses the best checkpoint. Nothing of the test set is among them, so that it stays a test.
package enum CheckpointMetric: String, CaseIterable, Sendable {
  case trainLoss = "train_loss"
  case validationAccuracy = "validation_accuracy"
  /// Of the averaged weights (`training.ema`).
  case validationAccuracyEMA = "validation_accuracy_ema"
}
