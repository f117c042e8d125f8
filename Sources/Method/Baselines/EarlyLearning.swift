import Execution
import Foundation
import Graph
import Kernels
import Runtime

/// Early-learning regularisation (Liu et al. 2020, arXiv 2007.00151; `training.elr`) against wrong labels: each image's
/// predictions are averaged over the epochs, t <- beta t + (1 - beta) p, and the network is held to that average: L
/// gets `elr` times the mean of log(1 - p t). p is cut to [1e-4, 1 - 1e-4]; in the average it is divided by its sum.
struct EarlyLearning: MethodPart {
  private let setting: MethodSetting

  init?(_ setting: MethodSetting) {
    guard setting.configuration.training.elr > 0 else { return nil }
    self.setting = setting
  }

  private var capacity: Int { setting.configuration.training.batchSize }

  func memory(_ memory: MethodMemory) -> MemoryUse {
    ImageRows.memory(images: setting.images, width: memory.network.classes, capacity: capacity)
  }

  func imageValues(_ network: Network) -> Int { setting.images * network.classes }

  func join(_ builder: MethodBuilder, firstTap: Int) {
    let rows = builder.imageRows(
      "elr", images: setting.images, width: builder.model.network.classes, capacity: capacity)
    let training = setting.configuration.training
    builder.add(
      EarlyTerm(rows, weight: training.elr, decay: training.elrDecay, builder), in: .plain, .cyclic)
  }
}

private final class EarlyTerm: LossTerm {
  private let rows: ImageRows
  /// lambda, beta
  private let weight, decay: Double
  private let softmax: SoftenedDivergence
  /// Of a sample: softmax(logits), and d log(1 - p t) / dp.
  private let probabilities: Tensor
  private let slopes: UnsafeMutablePointer<Double>
  private let scalar: Int
  let readsFeatures = false

  private static let least: Float = 1e-4

  init(_ rows: ImageRows, weight: Double, decay: Double, _ builder: MethodBuilder) {
    self.rows = rows
    self.weight = weight
    self.decay = decay
    softmax = SoftenedDivergence(classes: rows.width, temperature: 1)
    probabilities = Tensor(count: rows.width)
    slopes = .allocate(capacity: rows.width)
    slopes.initialize(repeating: 0, count: rows.width)
    scalar = builder.scalars("elr_loss").lowerBound
  }

  deinit { slopes.deallocate() }

  func evaluate(_ student: TrainingPass, of shard: ShardStep) {
    let scale = weight / Double(shard.count)
    var sum = 0.0
    for sample in 0..<shard.count {
      let image = shard.samples[sample]
      let logits = student.logits + sample * rows.width
      softmax.probabilities(of: logits, samples: 1, into: probabilities.pointer)
      let target = rows.stage(image)
      average(rows.row(of: image), into: target)
      sum += term(UnsafePointer(target), scale: scale, adding: student.logitsGradient + sample * rows.width)
    }
    shard.scalars.means[scalar] = sum / Double(shard.count)
  }

  private func cut(_ probability: Float) -> Float { min(max(probability, Self.least), 1 - Self.least) }

  /// t <- beta t + (1 - beta) p / sum p
  private func average(_ past: UnsafePointer<Float>, into target: UnsafeMutablePointer<Float>) {
    let sum = (0..<rows.width).reduce(0.0) { $0 + Double(cut(probabilities.pointer[$1])) }
    for index in 0..<rows.width {
      let own = Double(cut(probabilities.pointer[index])) / sum
      target[index] = Float(decay * Double(past[index]) + (1 - decay) * own)
    }
  }

  /// log(1 - p t), t a constant, and `scale` times its gradient with respect to the logits.
  private func term(_ target: UnsafePointer<Float>, scale: Double, adding gradient: UnsafeMutablePointer<Float>)
    -> Double
  {
    let p = probabilities.pointer
    let agreement = (0..<rows.width).reduce(0.0) { $0 + Double(cut(p[$1])) * Double(target[$1]) }
    var mean = 0.0
    for index in 0..<rows.width {
      // Where p is cut nothing goes back.
      let isCut = p[index] < Self.least || p[index] > 1 - Self.least
      slopes[index] = isCut ? 0 : -Double(target[index]) / (1 - agreement)
      mean += slopes[index] * Double(p[index])
    }
    for index in 0..<rows.width {
      gradient[index] += Float(scale * Double(p[index]) * (slopes[index] - mean))
    }
    return log(1 - agreement)
  }

  func loss(_ batch: StepScalars, _ context: StepContext) -> Double { weight * batch.means[scalar] }

  func report(_ batch: StepScalars, _ context: StepContext) -> NamedValues {
    ["elr_loss": .number(batch.means[scalar])]
  }
}
