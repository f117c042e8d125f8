import Execution
import Graph
import Kernels
import Runtime

/// PS-KD, progressive self-knowledge distillation (Kim et al. 2021, arXiv 2006.12000; `training.pskd`): the label is
/// softened by what the network said of the image an epoch ago, (1 - a_e) y + a_e p, where a_e rises to `pskd` in
/// proportion to the epochs. An image that was not seen yet has its label for p.
struct PastPredictions: MethodPart {
  private let images: Int
  private let capacity: Int

  init?(_ setting: MethodSetting) {
    guard setting.configuration.training.pskd > 0 else { return nil }
    images = setting.images
    capacity = setting.configuration.training.batchSize
  }

  func memory(_ memory: MethodMemory) -> MemoryUse {
    memory.images(memory.network.output)
      + ImageRows.memory(images: images, width: memory.network.classes, capacity: capacity)
  }

  func imageValues(_ network: Network) -> Int { images * network.classes }

  func join(_ builder: MethodBuilder, firstTap: Int) {
    let rows = builder.imageRows("pskd", images: images, width: builder.model.network.classes, capacity: capacity)
    builder.add(PastTerm(rows, builder), in: .plain, .cyclic)
  }
}

/// a_e times the cross entropy with the past prediction; the other share is the task loss's, by a = 1 - a_e.
private final class PastTerm: LossTerm {
  private let rows: ImageRows
  private let divergence: SoftenedDivergence
  private let targets: Tensor
  private let scalar: Int
  let readsFeatures = false

  init(_ rows: ImageRows, _ builder: MethodBuilder) {
    self.rows = rows
    divergence = SoftenedDivergence(classes: rows.width, temperature: 1)
    targets = Tensor(count: builder.capacity * rows.width)
    scalar = builder.scalars("pskd_loss").lowerBound
  }

  func evaluate(_ student: TrainingPass, of shard: ShardStep) {
    let classes = rows.width
    for sample in 0..<shard.count {
      let (past, target) = (rows.row(of: shard.samples[sample]), targets.pointer + sample * classes)
      target.update(from: past, count: classes)
      // Probabilities add up to 1.
      if (0..<classes).allSatisfy({ past[$0] == 0 }) { target[Int(shard.inputs.labels[sample])] = 1 }
      divergence.probabilities(
        of: student.logits + sample * classes, samples: 1, into: rows.stage(shard.samples[sample]))
    }
    // The entropy of a constant target is a constant: the divergence's gradient is the cross entropy's.
    let sum = divergence(
      student: student.logits, probabilities: targets.pointer, samples: shard.count,
      scale: (1 - shard.context.alpha) / Double(shard.count), adding: student.logitsGradient)
    let entropy = divergence.entropy(of: targets.pointer, samples: shard.count)
    shard.scalars.means[scalar] = (sum + entropy) / Double(shard.count)
  }

  func loss(_ batch: StepScalars, _ context: StepContext) -> Double { (1 - context.alpha) * batch.means[scalar] }

  func report(_ batch: StepScalars, _ context: StepContext) -> NamedValues {
    ["pskd_loss": .number(batch.means[scalar]), "pskd_share": .number(1 - context.alpha)]
  }
}
