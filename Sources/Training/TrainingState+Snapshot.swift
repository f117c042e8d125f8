import Checkpointing
import Configuration
import Files
import Kernels
import Planning
import Reduction
import Runtime

extension TrainingState {
  /// The state as a checkpoint's contents, with what a reader wants to know beside it.
  package func snapshot(plan: RunPlan) -> Snapshot {
    return Snapshot(
      tensors: model + average + slots,
      metadata: [
        // Doubles keep all their digits.
        "progress": JSONText.of(progress),
        "optimizer_steps": "\(optimizerSteps)",
        "config": plan.settledConfiguration.resolvedYAML,
        "epoch": "\(self.progress.epoch)",
        "position": "\(self.progress.position)",
        "seed": "\(plan.configuration.training.seed)",
        "shards": "\(plan.shards)",
        "data": plan.dataIdentity,
        "network": plan.networkText,
        "versions": Platform.description(of: plan.configuration),
      ].merging(beside(plan)) { own, _ in own }.merging(plan.preprocessing.metadata) { own, _ in own })
  }

  /// What some data alone has: the order of its channels, and files that were left out.
  private func beside(_ plan: RunPlan) -> [String: String] {
    var texts: [String: String] = [:]
    if plan.data.training.shape.channels == 3 { texts["preprocessing.channel_order"] = Preprocessing.channelOrder }
    if plan.data.training.skippedPictures > 0 { texts["bad_files"] = "\(plan.data.training.skippedPictures)" }
    return texts
  }
}
