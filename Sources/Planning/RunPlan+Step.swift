import Kernels
import Method

/// What the method does in a step, by where the run stands: its stage and its weights (METHOD, "Schedules and
/// weights"). The same on every rank.
extension RunPlan {
  /// The context of step `step`, from 0. `memorised`: the training accuracy of the last whole epoch, 0 in the first.
  package func context(
    epoch: Int, position: Int = 0, step: Int, batchCount: Int, memorised: Double = 0, isLogged: Bool = false
  ) -> StepContext {
    var context = StepContext(
      epoch: epoch, position: position, batchCount: batchCount, stage: .plain, alpha: 1, isLogged: isLogged)
    // Of the label; what the network said in the past has the other share.
    context.alpha = 1 - configuration.training.pskd * Double(epoch + 1) / Double(configuration.training.epochs)
    context.mixes = mixes(step, epoch: epoch, position: position)
    let gate = gate(memorised)
    context.reach = reach(step)
    guard method.hasCyclicStage, cyclic.isCyclic(epoch), gate > 0 else { return context }
    // Images that do not move are the images.
    guard configuration.icp.objective != .task || context.reach > 0 else { return context }
    // What a mixed student learns from are unmixed images.
    guard configuration.icp.objective != .mixed || context.mixes else { return context }
    context.stage = .cyclic
    context.strength = gate * strength(step)
    switch configuration.icp.objective {
    case .distillation:
      let alpha = cyclic.alpha(epoch)
      context.alpha = gate == 1 ? alpha : 1 - gate * (1 - alpha)
    case .soft: context.alpha = 1 - context.strength
    case .task, .mixed: break
    }
    return context
  }

  /// Whether step `step`, from 0, has a record: every so many, and the last of each epoch where epochs are shorter, so
  /// that each says what the method did.
  package func isLogged(_ step: Int) -> Bool {
    let every = configuration.logging.everySteps
    return (step + 1) % every == 0 || (stepsPerEpoch < every && (step + 1) % stepsPerEpoch == 0)
  }

  /// r, risen from 0.
  private func strength(_ step: Int) -> Double {
    let distillation = configuration.distillation
    let rises = distillation.ramp * Double(totalSteps)
    return distillation.weight * (Double(step) < rises ? Double(step) / rises : 1)
  }

  /// Whether the batch of a step is mixed, where a run mixes any.
  private func mixes(_ step: Int, epoch: Int, position: Int) -> Bool {
    let training = configuration.training
    guard epoch >= training.mixingAfterEpochs, Double(step) < training.mixingUntil * Double(totalSteps) else {
      return false
    }
    var stream = RandomStream(seed: training.seed, purpose: .mixedBatch, epoch: epoch, sample: position)
    return stream.uniform() < training.mixingProbability
  }

  /// How far open the gate is, from 0 where `memorised` is at most `distillation.gate` to 1 where it is 1.
  private func gate(_ memorised: Double) -> Double {
    guard let threshold = configuration.distillation.gate else { return 1 }
    return min(max((memorised - threshold) / (1 - threshold), 0), 1)
  }

  /// What is left of the refinement's step size.
  private func reach(_ step: Int) -> Double {
    guard let fade = configuration.icp.fade else { return 1 }
    return max(0, 1 - Double(step) / (fade * Double(totalSteps)))
  }
}
