import Foundation

/// Softmax cross entropy with label smoothing s (Szegedy et al. 2016): the target is (1 - s) onehot(label) + s /
/// classes. With weights w of the classes it is that of PyTorch's `CrossEntropyLoss(weight)`: each class's part of the
/// target times its weight.
package struct CrossEntropy: Sendable {
  package let classes: Int
  package let smoothing: Double
  /// Of the classes.
  private let weights: [Double]?
  private let sumOfWeights: Double

  /// What mixed samples are besides: the target is `weight` onehot(label) + (1 - `weight`) onehot(other).
  package struct Mixture {
    package var others: UnsafePointer<Int32>
    package var weight: Double

    package init(others: UnsafePointer<Int32>, weight: Double) { (self.others, self.weight) = (others, weight) }

    /// Of the samples from `first` on.
    package func from(_ first: Int) -> Mixture { Mixture(others: others + first, weight: weight) }
  }

  package init(classes: Int, smoothing: Double = 0, weights: [Double]? = nil) {
    precondition(weights == nil || weights!.count == classes, "\(weights!.count) weights of \(classes) classes")
    self.classes = classes
    self.smoothing = smoothing
    self.weights = weights
    sumOfWeights = weights?.reduce(0, +) ?? Double(classes)
  }

  private func classWeight(_ index: Int) -> Double { weights.map { $0[index] } ?? 1 }

  /// The sum of the samples' losses. Where `gradient` is given it receives `scale` times d(sum)/d(logits), so 1 /
  /// samples is the mean's gradient; `logits` is (samples, classes). `correct` counts samples whose largest logit is
  /// the label's. Smoothing acts on the target of `mixture`, too.
  @discardableResult
  package func callAsFunction(
    logits: UnsafePointer<Float>, labels: UnsafePointer<Int32>, mixture: Mixture? = nil, samples: Int,
    scale: Double = 1, gradient: UnsafeMutablePointer<Float>? = nil, correct: UnsafeMutablePointer<Int>? = nil
  ) -> Double {
    let everywhere = smoothing / Double(classes)
    let weight = mixture?.weight ?? 1
    let (onLabel, onOther) = ((1 - smoothing) * weight, (1 - smoothing) * (1 - weight))
    var total = 0.0
    for sample in 0..<samples {
      let row = logits + sample * classes
      let label = Int(labels[sample])
      let other = mixture.map { Int($0.others[sample]) } ?? label
      let (onLabel, onOther) = (onLabel * classWeight(label), onOther * classWeight(other))
      // Of the whole target.
      let mass = weights == nil ? 1 : onLabel + onOther + everywhere * sumOfWeights
      var largest = 0
      for index in 1..<max(classes, 1) where row[index] > row[largest] { largest = index }
      let shift = Double(row[largest])
      var sum = 0.0
      var linear = 0.0
      for index in 0..<classes {
        sum += exp(Double(row[index]) - shift)
        linear += classWeight(index) * (Double(row[index]) - shift)
      }
      // Beside a NaN nothing is largest.
      if largest == label, sum.isFinite, let correct { correct.pointee += 1 }
      let logarithm = log(sum)
      total +=
        mass * logarithm - onLabel * (Double(row[label]) - shift) - onOther * (Double(row[other]) - shift)
        - everywhere * linear
      guard let gradient else { continue }
      for index in 0..<classes {
        let probability = exp(Double(row[index]) - shift) / sum
        let target = everywhere * classWeight(index) + (index == label ? onLabel : 0) + (index == other ? onOther : 0)
        gradient[sample * classes + index] = Float(scale * (mass * probability - target))
      }
    }
    return total
  }
}
