/// Loss, accuracies and macro F1 over a data set; all but the loss are fractions from 0 to 1.
package struct SplitScores: Sendable {
  package var loss: Double
  package var accuracy: Double
  package var f1: Double
  /// The mean over classes.
  package var balancedAccuracy: Double?
  /// From 20 classes on.
  package var topFiveAccuracy: Double?

  package init(
    loss: Double, accuracy: Double, f1: Double, balancedAccuracy: Double? = nil, topFiveAccuracy: Double? = nil
  ) {
    self.loss = loss
    self.accuracy = accuracy
    self.f1 = f1
    self.balancedAccuracy = balancedAccuracy
    self.topFiveAccuracy = topFiveAccuracy
  }
}
