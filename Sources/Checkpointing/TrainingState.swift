import Files
import Formats
import Foundation
import Graph
import Models
import Optimization

/// Everything a run needs to go on: progress, weights, running statistics, their average and the optimiser's state,
/// copied out at the end of a step.
package struct TrainingState: Sendable {
  package let progress: TrainingProgress
  package let model: [NamedTensor]
  /// Of the average, as `ema.<name>`; empty without `training.ema`.
  package let average: [NamedTensor]
  package let slots: [NamedTensor]
  /// Optimiser steps really taken: what AdamW's bias correction counts.
  package let optimizerSteps: Int

  package init(
    progress: TrainingProgress, model: ModelState, average: WeightAverage? = nil, optimizer: Optimizer,
    images: [NamedTensor] = []
  ) {
    self.progress = progress
    self.model = model.namedTensors
    self.average =
      average?.model.namedTensors.map { $0.renamed(WeightNames.averagePrefix + $0.name) } ?? []
    optimizerSteps = optimizer.steps
    let ofOptimizer = optimizer.slots.flatMap { slot in
      model.layout.parameters.map { entry in
        NamedTensor(
          WeightNames.optimizerPrefix + "\(slot.name).\(entry.name)", shape: entry.shape,
          floats: Array(slot.values[entry.range]))
      }
    }
    slots = ofOptimizer + images
  }

  package init(_ snapshot: Snapshot, path: String) throws(FileError) {
    func wrong(_ what: String) -> FileError { FileError(path: path, reason: what) }
    guard let text = snapshot.metadata["progress"],
      let progress = try? JSONDecoder().decode(TrainingProgress.self, from: Data(text.utf8)),
      let steps = snapshot.metadata["optimizer_steps"].flatMap({ Int($0) })
    else { throw wrong("metadata does not hold the run's progress") }
    self.progress = progress
    optimizerSteps = steps
    slots = snapshot.tensors.filter { $0.name.hasPrefix(WeightNames.optimizerPrefix) }
    let weights = snapshot.tensors.filter { !$0.name.hasPrefix(WeightNames.optimizerPrefix) }
    let averages = WeightNames.averages(among: weights.map(\.name))
    model = weights.filter { !averages.contains($0.name) }
    average = weights.filter { averages.contains($0.name) }
  }

  /// The tensor of what a part of the method keeps of each training image. It counts as the optimiser's: who reads
  /// weights passes it over.
  package static func images(_ name: String) -> String { WeightNames.optimizerPrefix + "images.\(name)" }

  /// Its values; nil where this is a run's start.
  package func images(_ name: String, shape: [Int], path: String) throws -> [Float]? {
    let name = Self.images(name)
    guard progress.step > 0 else { return nil }
    guard let tensor = slots.first(where: { $0.name == name }), tensor.shape == shape, let values = tensor.floats else {
      throw FileError(path: path, reason: "there is no \(name) of shape \(shape)")
    }
    try checkFinite(values, of: name, path: path)
    return values
  }

  /// Throws where the numbers cannot be a run's: they may be forged, and later sums must not overflow.
  package func checkProgress(stepsPerEpoch: Int, path: String) throws(FileError) {
    let (steps, overflows) = progress.epoch.multipliedReportingOverflow(by: stepsPerEpoch)
    guard progress.epoch >= 0, (0..<stepsPerEpoch).contains(progress.position), !overflows,
      0...Self.countLimit ~= progress.step, progress.step - progress.position == steps,
      0...progress.step ~= optimizerSteps, 0...Self.countLimit ~= progress.samples,
      0...progress.samples ~= progress.correct, 0...Self.countLimit ~= progress.refusedSteps,
      0...progress.refusedSteps ~= progress.refusedInRow, 0...Self.countLimit ~= progress.rollbacks,
      !progress.awaitsEvaluation || (progress.position == 0 && progress.epoch > 0),
      progress.plateau.map({ 0...Self.countLimit ~= $0.drops && 0...Self.countLimit ~= $0.waited }) ?? true,
      progress.lastEpoch.map({ 0...Self.countLimit ~= $0.samples && 0...$0.samples ~= $0.correct }) ?? true,
      progress.best.map({ 0...Self.countLimit ~= $0.judged && 0...$0.judged ~= $0.epoch }) ?? true,
      (progress.extensions ?? []).allSatisfy({ 0...Self.countLimit ~= $0 })
    else { throw FileError(path: path, reason: "its progress is not that of a run: \(progress)") }
  }

  /// Above any count of a run, and far from an overflow.
  private static let countLimit = 1 << 60

  /// Puts the state back; an average of which it has none begins as the weights are. Throws: a checkpoint whose tensors
  /// do not fit the model.
  package func restore(
    to model: ModelState, average: WeightAverage? = nil, _ optimizer: Optimizer, from path: String = ""
  ) throws {
    try model.load(self.model, from: path)
    average?.restart(from: model)
    if let average, !self.average.isEmpty {
      try average.model.load(self.average.map { $0.renamed(WeightNames.ofAverage($0.name)) }, from: path)
    }
    let found = Dictionary(slots.map { ($0.name, $0) }) { first, _ in first }
    for slot in optimizer.slots {
      for entry in model.layout.parameters {
        let name = WeightNames.optimizerPrefix + "\(slot.name).\(entry.name)"
        guard let tensor = found[name], tensor.shape == entry.shape, let values = tensor.floats else {
          throw FileError(path: path, reason: "there is no \(name) of shape \(entry.shape)")
        }
        try checkFinite(values, of: name, path: path)
        _ = slot.values[entry.range].update(fromContentsOf: values)
      }
    }
    optimizer.steps = optimizerSteps
  }
}
