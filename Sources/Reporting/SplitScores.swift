/// Loss, accuracy and macro F1 over a data set; accuracy and F1 are fractions from 0 to 1.
package struct SplitScores: Sendable {
  package var loss: Double
  package var accuracy: Double
  package var f1: Double

  package init(loss: Double, accuracy: Double, f1: Double) {
    self.loss = loss
    self.accuracy = accuracy
    self.f1 = f1
  }
}
