/// How the one message of a step is cut into buckets that travel by themselves (docs/ARCHITECTURE.md, "Exact sums").
///
/// Values are counted through: gradients first, in the order in which the backward pass finishes them, then what is
/// known only at the end, all of it in the last bucket. After the values of a bucket comes one word that says which
/// bucket of which step this is: messages that do not belong together are found, whatever their lengths.
package struct GradientBuckets: Sendable {
  package let gradients: Int
  private let others: Int
  package let count: Int

  /// Of `gradients` values and `others` after them; a bucket has about `size` gradients.
  package init(gradients: Int, others: Int, size: Int) {
    self.gradients = gradients
    self.others = others
    // Equal parts: no bucket is so small that an algorithm which cuts it among the ranks would have nothing to cut.
    count = max(1, (gradients + size / 2) / size)
  }

  /// The gradients of a bucket.
  package func range(_ bucket: Int) -> Range<Int> {
    gradients * bucket / count..<gradients * (bucket + 1) / count
  }

  /// Integers of the whole message.
  package var messageCount: Int { gradients + others + count }

  /// Where a bucket lies in the message, the word at its end included.
  package func place(_ bucket: Int) -> Range<Int> {
    let isLast = bucket == count - 1
    return range(bucket).lowerBound + bucket..<range(bucket).upperBound + bucket + 1 + (isLast ? others : 0)
  }

  /// Where a gradient of a bucket lies in the message: after one word of each bucket before.
  func place(of gradient: Int, in bucket: Int) -> Int { gradient + bucket }

  /// Where what is not a gradient lies in a bucket's part of the message.
  func wordPlace(_ bucket: Int) -> Range<Int> {
    place(of: range(bucket).upperBound, in: bucket)..<place(bucket).upperBound
  }

  /// The same, of all that are not gradients, counted through.
  func words(_ bucket: Int) -> Range<Int> { bucket..<bucket + wordPlace(bucket).count }
  var wordCount: Int { count + others }

  /// Where the values after the gradients lie in the message.
  package var othersStart: Int { gradients + count - 1 }
}
