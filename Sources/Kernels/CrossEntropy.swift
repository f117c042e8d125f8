import Foundation

/// Softmax cross entropy with label smoothing s (Szegedy et al. 2016): the target is (1 - s) onehot(label) + s / classes.
package struct CrossEntropy: Sendable {
  package let classes: Int
  package let smoothing: Double

  package init(classes: Int, smoothing: Double = 0) {
    (self.classes, self.smoothing) = (classes, smoothing)
  }

  /// The sum of the samples' losses. Where `gradient` is given it receives `scale` times d(sum)/d(logits), so 1 / samples
  /// is the mean's gradient; `logits` is (samples, classes). `correct` counts samples whose largest logit is the label's.
  @discardableResult
  package func callAsFunction(
    logits: UnsafePointer<Float>, labels: UnsafePointer<Int32>, samples: Int, scale: Double = 1,
    gradient: UnsafeMutablePointer<Float>? = nil, correct: UnsafeMutablePointer<Int>? = nil
  ) -> Double {
    let other = smoothing / Double(classes)
    var total = 0.0
    for sample in 0..<samples {
      let row = logits + sample * classes
      let label = Int(labels[sample])
      var largest = 0
      for index in 1..<max(classes, 1) where row[index] > row[largest] { largest = index }
      if largest == label, let correct { correct.pointee += 1 }
      let shift = Double(row[largest])
      var sum = 0.0
      var linear = 0.0
      for index in 0..<classes {
        sum += exp(Double(row[index]) - shift)
        linear += Double(row[index]) - shift
      }
      let logarithm = log(sum)
      total += logarithm - (1 - smoothing) * (Double(row[label]) - shift) - other * linear
      guard let gradient else { continue }
      for index in 0..<classes {
        let probability = exp(Double(row[index]) - shift) / sum
        let target = other + (index == label ? 1 - smoothing : 0)
        gradient[sample * classes + index] = Float(scale * (probability - target))
      }
    }
    return total
  }
}
