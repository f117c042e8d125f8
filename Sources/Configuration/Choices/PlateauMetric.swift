/// What the schedule `plateau` watches. Of the validation split, since what moves weights may not see the test set.
package enum PlateauMetric: String, CaseIterable, Sendable {
  case validationLoss = "validation_loss"
  case validationAccuracy = "validation_accuracy"
}
