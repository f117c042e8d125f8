import Checkpointing
import Configuration
import Evaluation
import Formats
import Foundation
import Graph
import Models
import Optimization
import Training
import struct Kernels.Shape

import struct Kernels.Shape

/// The bytes of a safetensors file, in each place where one is read.
struct CheckpointInput {
  private let path: String
  private let bytes: [UInt8]

  init(_ input: [UInt8], in folder: Scratch) {
    bytes = input
    path = folder.write("step-0000007.safetensors", input)
  }

  /// Throws what the last of the readers throws, since a file may be right for one and wrong for another.
  func read() throws {
    let file = try SafetensorsFile(path: path)
    for tensor in file.tensors { _ = try? file.tensor(tensor.name) }
    var failure: (any Error)?
    for reader in [asCheckpoint, asWeights, asImages] {
      do {
        try reader()
        return
      } catch {
        checkMessage(of: error, codes: [65], naming: path)
        failure = failure ?? error
      }
    }
    throw failure!
  }

  private func asCheckpoint() throws {
    let snapshot = try CheckpointStore.load(path: path, followLinks: false)
    let again = try CheckpointStore.decode(bytes: bytes, path: path)
    if again.metadata != snapshot.metadata { finding("read twice, it differs") }
    let state = try TrainingState(snapshot, path: path)
    let progress = Result { try state.checkProgress(stepsPerEpoch: 5, path: path) }
    if let text = snapshot.metadata["config"] { _ = try? RunConfiguration(yaml: text, name: path) }
    let model = Self.model
    let optimizer = Optimizer(
      .adamW(beta1: 0.9, beta2: 0.999, epsilon: 1e-8), weightDecay: 0, decays: [], count: model.layout.parameterCount)
    try state.restore(to: model, optimizer, from: path)
    try progress.get()
  }

  private func asWeights() throws {
    let tensors = try WeightsFile(path: path).tensors
    _ = try? PerturbationSession.classes(of: tensors, path: path)
    try Self.model.load(tensors, from: path)
  }

  private func asImages() throws { try ImageBatch(path: path).checkLabels(below: 10) }

  /// A network of 23 parameters.
  static var model: ModelState {
    ModelState(
      try! .make(
        .mlp, shortcut: .projection, hidden: [3], input: SampleShape(1, 2, 2), classes: 2),
      seed: 0)
  }
}
