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
    for layer in layers {
      for pass in ConvolutionPass.allCases {
        let runs = Double(
          samples * Self.runs(of: pass, layer, steps: plan.method.hasCyclicStage ? plan.configuration.icp.steps : nil))
        func seconds(_ batch: Int) -> Double {
          runs * timer.seconds(layer.geometry, batch: batch, pass) / Double(batch)
        }
        let inFrozen = seconds(frozen)
        let inTraining = training == frozen ? inFrozen : seconds(training)
        inFrozenPieces += inFrozen
        inTrainingPieces += inTraining
        fastest += min(inFrozen, inTraining)
      }
    }
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
