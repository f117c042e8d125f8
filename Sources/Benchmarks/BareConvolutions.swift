import Execution
import Graph
import Kernels
import Planning

/// The time that a step's convolutions would take alone: what a step cannot be faster than without faster convolutions.
/// Dense layers are left out; in a ResNet they are a thousandth of the work.
package struct BareConvolutions {
  /// With every convolution at the batch size of the refinement's pieces, of the training passes' pieces, and at
  /// whichever of the two is the faster for each layer and pass. The last is the hardest to come near, and is what a
  /// step is compared with.
  var inFrozenPieces = 0.0, inTrainingPieces = 0.0, fastest = 0.0

  /// Times the convolutions of `plan`'s network, for `samples` samples of one rank.
  init(_ plan: RunPlan, samples: Int, options: RepeatOptions) {
    let layers = plan.network.convolutionLayers
    let shard = plan.batches.schedule.shardCapacity
    let (frozen, training) = (min(PieceSize.frozen(plan.network), shard), min(PieceSize.training(plan.network), shard))
    let timer = ConvolutionTimer(
      layers, batch: max(frozen, training), backend: plan.configuration.kernels.convolution, options: options)
    let configuration = plan.configuration
    let steps = plan.method.hasCyclicStage ? configuration.icp.steps : nil
    for layer in layers {
      for pass in ConvolutionPass.allCases {
        let all = Self.runs(of: pass, layer, steps: steps)
        let students = Self.runs(of: pass, layer, steps: nil)
        for (runs, precision) in [
          (students, configuration.trainingElement), (all - students, configuration.refinementElement),
        ] where runs > 0 {
          add(Double(samples * runs), frozen: frozen, training: training) { batch in
            timer.seconds(layer.geometry, batch: batch, pass, precision: precision)
          }
        }
      }
    }
  }

  /// So many runs on a sample, each timed by a call on a batch.
  private mutating func add(_ runs: Double, frozen: Int, training: Int, _ seconds: (_ batch: Int) -> Double) {
    func all(_ batch: Int) -> Double { runs * seconds(batch) / Double(batch) }
    let inFrozen = all(frozen)
    let inTraining = training == frozen ? inFrozen : all(training)
    inFrozenPieces += inFrozen
    inTrainingPieces += inTraining
    fastest += min(inFrozen, inTraining)
  }

  /// How often a step runs a pass of the layer's convolutions on a sample: the student forward, and backward to weights
  /// and to all inputs but the images; the refinement forward and backward to all inputs, T times; the target forward.
  /// `steps` is T, nil without refinement.
  package static func runs(of pass: ConvolutionPass, _ layer: ConvolutionLayer, steps: Int?) -> Int {
    switch pass {
    case .forward: layer.count * (steps.map { 1 + $0 + 1 } ?? 1)
    case .backwardData: layer.count * (steps ?? 0) + layer.count - layer.readingImages
    case .backwardWeights: layer.count
    }
  }
}
