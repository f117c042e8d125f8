import Configuration
import Datasets
import Execution
import Files
import Graph
import Images
import Kernels
import Models
import Planning
import Refinement

/// The same few images whenever it is asked, on their way down their own loss under a run's refinement: x_0, x_T and
/// the difference below each other. Test images, or else validation or training images, without augmentation.
package final class RefinementSheet {
  private static let count = 8
  /// Of a picture's longer side, pixels.
  fileprivate static let largest = 96

  private let plan: RunPlan
  private let network: FrozenNetwork
  private let refiner: Refiner
  private let start: [Float]
  private let labels: [Int32]

  /// Nil where the run moves no images, or its samples are no pictures.
  /// Throws: FileError where an image cannot be read any more.
  package init?(_ plan: RunPlan, model: ModelState) throws(FileError) {
    guard Self.fits(plan) else { return nil }
    self.plan = plan
    let data = plan.data.test ?? plan.data.validation ?? plan.data.training
    let images = data.sample(Self.count, seed: plan.configuration.training.seed)
    let values = UnsafeMutableBufferPointer<Float>.allocate(capacity: images.count * images.shape.count)
    defer { values.deallocate() }
    try images.normalized(0..<images.count, by: plan.normalization, into: values.baseAddress!)
    start = Array(values)
    labels = (0..<images.count).map { Int32(images.label($0)) }
    network = FrozenNetwork(
      model.network, layout: model.layout, backend: plan.configuration.kernels.convolution, differentiable: true,
      capacity: Self.count, scratch: Scratch())
    refiner = Refiner(
      plan.configuration.icp, network: network, normalization: plan.normalization, capacity: labels.count)
  }

  private static func fits(_ plan: RunPlan) -> Bool {
    let icp = plan.configuration.icp
    return icp.refinementSteps > 0 && icp.layer == nil && plan.data.training.shape.isPicture
  }

  /// Of one for this plan; 0 where there is none.
  package static func bytes(_ plan: RunPlan) -> Double {
    guard fits(plan) else { return 0 }
    let network = FrozenNetwork.memory(
      plan.network, layout: ParameterLayout(plan.network), backend: plan.configuration.kernels.convolution,
      differentiable: true, capacity: count, sizes: [count])
    let images = 2 * 4 * Double(count * plan.data.training.shape.count)
    return network.total + images + Refiner.stateBytes(plan.configuration.icp.rule, network: plan.network)
  }

  /// Images on their way: their picture is made, and encoded, wherever there is time.
  package struct Refined: Sendable {
    let start, end: [Float]
    let shape: ImageShape
    let normalization: Normalization
  }

  /// By the model's values as they are.
  package func refine(_ model: ModelState) -> Refined {
    network.fold(parameters: model.parameters.pointer, statistics: model.statistics.pointer)
    let (icp, samples) = (plan.configuration.icp, Array(labels.indices))
    let end = samples.withUnsafeBufferPointer { addresses in
      let result = refiner.refine(
        start, labels: labels, samples: labels.count,
        lossScale: icp.reduction == .sum ? 1 : 1 / Double(plan.configuration.training.batchSize),
        addresses: .init(seed: plan.configuration.training.seed, epoch: 0, samples: addresses))
      return Array(UnsafeBufferPointer(start: result.images, count: start.count))
    }
    return Refined(start: start, end: end, shape: plan.data.training.shape, normalization: plan.normalization)
  }
}

extension RefinementSheet.Refined {
  package typealias File = (png: [UInt8], width: Int, height: Int, channels: Int)

  /// Nil where memory is short, or no value is finite.
  package func file() -> File? {
    let places = stride(from: 0, to: start.count, by: shape.count).map { $0..<$0 + shape.count }
    let gain = normalization.gain(for: [(end, start)], channels: shape.channels) ?? 1
    func row(_ picture: (Range<Int>) -> Picture?) -> [Picture] {
      places.compactMap { picture($0)?.within(RefinementSheet.largest) }
    }
    let rows = [
      row { normalization.picture(of: start[$0], shape: shape) },
      row { normalization.picture(of: end[$0], shape: shape) },
      row { normalization.picture(ofDifference: end[$0], from: start[$0], gain: gain, shape: shape) },
    ]
    let sheet = Picture(sheet: rows)
    return sheet.encodedAsPNG().map { ($0, sheet.width, sheet.height, sheet.channels) }
  }
}
