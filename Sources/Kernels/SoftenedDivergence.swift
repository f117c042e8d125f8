import Foundation

/// T^2 KL(softmax(teacher / T) || softmax(student / T)), the distillation loss of Hinton et al. 2015; the teacher is a
/// constant. The factor keeps the gradient's size the same at any temperature T.
package struct SoftenedDivergence: Sendable {
  package let classes: Int
  package let temperature: Double

  package init(classes: Int, temperature: Double) {
    self.classes = classes
    self.temperature = temperature
  }

  /// The sum of the samples' divergences; both logits are (samples, classes). Adds `scale` times d(sum)/d(student),
  /// which is T (softmax(student / T) - softmax(teacher / T)), to `gradient`.
  package func callAsFunction(
    student: UnsafePointer<Float>, teacher: UnsafePointer<Float>, samples: Int, scale: Double,
    adding gradient: UnsafeMutablePointer<Float>
  ) -> Double {
    var total = 0.0
    for start in stride(from: 0, to: samples * classes, by: classes) {
      let (ours, theirs) = (logarithmOfSum(student + start), logarithmOfSum(teacher + start))
      for index in start..<start + classes {
        let log = Double(student[index]) / temperature - ours
        let target = Double(teacher[index]) / temperature - theirs
        let probability = exp(target)
        // Of probability 0 is nothing, though its logarithm may be -inf; a NaN counts.
        if probability != 0 { total += probability * (target - log) }
        gradient[index] += Float(scale * temperature * (exp(log) - probability))
      }
    }
    return temperature * temperature * total
  }

  /// The same with a teacher that is probabilities already, (samples, classes), each row of sum 1.
  package func callAsFunction(
    student: UnsafePointer<Float>, probabilities: UnsafePointer<Float>, samples: Int, scale: Double,
    adding gradient: UnsafeMutablePointer<Float>
  ) -> Double {
    var total = 0.0
    for start in stride(from: 0, to: samples * classes, by: classes) {
      let ours = logarithmOfSum(student + start)
      for index in start..<start + classes {
        let log = Double(student[index]) / temperature - ours
        let probability = Double(probabilities[index])
        if probability != 0 { total += probability * (Foundation.log(probability) - log) }
        gradient[index] += Float(scale * temperature * (exp(log) - probability))
      }
    }
    return temperature * temperature * total
  }

  /// The sum of the rows' entropies, - sum p log p.
  package func entropy(of probabilities: UnsafePointer<Float>, samples: Int) -> Double {
    (0..<samples * classes).reduce(0) { sum, index in
      let probability = Double(probabilities[index])
      return probability == 0 ? sum : sum - probability * log(probability)
    }
  }

  /// softmax(logits / T), both (samples, classes).
  package func probabilities(
    of logits: UnsafePointer<Float>, samples: Int, into probabilities: UnsafeMutablePointer<Float>
  ) {
    for start in stride(from: 0, to: samples * classes, by: classes) {
      let sum = logarithmOfSum(logits + start)
      for index in start..<start + classes {
        probabilities[index] = Float(exp(Double(logits[index]) / temperature - sum))
      }
    }
  }

  /// log sum exp(row / T)
  private func logarithmOfSum(_ row: UnsafePointer<Float>) -> Double {
    var largest = row[0]
    for index in 1..<classes where row[index] > largest { largest = row[index] }
    let shift = Double(largest) / temperature
    var sum = 0.0
    for index in 0..<classes { sum += exp(Double(row[index]) / temperature - shift) }
    return shift + log(sum)
  }
}
