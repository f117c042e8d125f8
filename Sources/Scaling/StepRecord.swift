/// What one rank did in one step, in seconds. Places in time are since the point's first, by rank 0's clock.
package struct StepRecord: Codable, Sendable {
  package var kind = "step"
  package var step: Int
  package var rank: Int
  /// Whether buckets might travel during the backward pass.
  package var overlap: Bool
  package var data, student, refinement, target, backward, reduction, optimizer: Double
  /// It began; it had nothing left to do but to wait for the sums; it had them; it was done.
  package var begin, arrive, leave, end: Double

  package init(
    step: Int, rank: Int, overlap: Bool, data: Double, student: Double, refinement: Double, target: Double,
    backward: Double, reduction: Double, optimizer: Double, begin: Double, arrive: Double, leave: Double, end: Double
  ) {
    self.step = step
    self.rank = rank
    self.overlap = overlap
    self.data = data
    self.student = student
    self.refinement = refinement
    self.target = target
    self.backward = backward
    self.reduction = reduction
    self.optimizer = optimizer
    self.begin = begin
    self.arrive = arrive
    self.leave = leave
    self.end = end
  }

  /// Its own work: all but waiting for the batch and for the sums.
  package var computing: Double { (arrive - begin - data) + (end - leave) }

  /// The same with all times divided by `stretch`.
  func shortened(by stretch: Double) -> StepRecord {
    StepRecord(
      step: step, rank: rank, overlap: overlap, data: data / stretch, student: student / stretch,
      refinement: refinement / stretch, target: target / stretch, backward: backward / stretch,
      reduction: reduction / stretch, optimizer: optimizer / stretch, begin: begin / stretch,
      arrive: arrive / stretch, leave: leave / stretch, end: end / stretch)
  }
}
