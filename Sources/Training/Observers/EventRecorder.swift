import Evaluation
import Files
import Formats
import Graph
import Kernels
import Models
import Planning

/// What TensorBoard shows beside numbers (`logging.tensorboard`): how weights and gradients are spread, and images that
/// the refinement has moved. Looked at in the last step of each epoch that is measured; nothing here changes a bit.
package final class EventRecorder: RunObserver {
  private let journal: RunJournal?
  private let sheet: RefinementSheet?

  /// `journal`: nil on other ranks than 0, where nothing is looked at.
  package init(_ journal: RunJournal?, _ plan: RunPlan, model: ModelState) {
    self.journal = journal
    guard let journal else {
      sheet = nil
      return
    }
    do throws(FileError) { sheet = try RefinementSheet(plan, model: model) } catch {
      sheet = nil
      journal.warn("\(error); TensorBoard gets no pictures")
    }
  }

  package func stepEnded(_ step: FinishedStep, signals: Int64, of trainer: Trainer) {
    let (progress, evaluation) = (trainer.progress, trainer.plan.configuration.evaluation)
    guard let journal, step.isTaken, progress.awaitsEvaluation,
      isDue(evaluation.everyEpochs, progress.epoch) || progress.step == trainer.lastStep
    else { return }
    let histograms =
      Self.histograms("weights", trainer.model.parameters, trainer.model.layout)
      + Self.histograms("gradients", trainer.gradients, trainer.model.layout)
    let refined = step.context.stage == .cyclic ? sheet?.refine(trainer.model) : nil
    journal.show(step: progress.step) {
      let picture = refined?.file().map {
        EventFile.Event.Value(
          tag: "pictures/x_0, x_T and their difference",
          .picture(png: $0.png, width: $0.width, height: $0.height, channels: $0.channels))
      }
      return histograms + (picture.map { [$0] } ?? [])
    }
  }

  /// Of matrices and filters: what is as short as a bias says little as a histogram.
  private static func histograms(
    _ name: String, _ values: Tensor, _ layout: ParameterLayout
  ) -> [EventFile.Event.Value] {
    layout.parameters.filter { $0.shape.count > 1 }.compactMap { entry in
      EventHistogram(values.values[entry.range]).map { .init(tag: "\(name)/\(entry.name)", .histogram($0)) }
    }
  }
}
