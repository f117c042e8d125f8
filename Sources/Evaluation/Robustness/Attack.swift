import Datasets
import Execution
import Graph
import Kernels
import Models
import Refinement

/// How an adversarial example is looked for: up the cross entropy by signs of the gradient, within a distance that no
/// pixel may exceed, among the images that pixels can show. The inner loop of the rule `ifgsm`, but measured in pixel
/// values, so that a step is not the same length in every normalised channel, and with a start that may be random.
package struct Attack: Sendable {
  package let steps: Int
  /// In pixel values, of which black and white are 0 and 1.
  package let stepSize, epsilon: Double
  /// From a uniform draw within the distance, addressed by seed and sample; else from the image itself.
  package let startsRandomly: Bool

  package init(steps: Int, stepSize: Double, epsilon: Double, startsRandomly: Bool) {
    self.steps = steps
    self.stepSize = stepSize
    self.epsilon = epsilon
    self.startsRandomly = startsRandomly
  }

  /// Goodfellow et al. 2015.
  package static let fgsm = Attack(steps: 1, stepSize: 8.0 / 255, epsilon: 8.0 / 255, startsRandomly: false)
  /// Madry et al. 2018, with 20 steps.
  package static let pgd = Attack(steps: 20, stepSize: 2.0 / 255, epsilon: 8.0 / 255, startsRandomly: true)
}
