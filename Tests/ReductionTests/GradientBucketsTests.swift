import Reduction
import Testing

@Suite struct GradientBucketsTests {
  @Test(arguments: [(1, 5), (7, 3), (100, 7), (270_000, 131_072), (1 << 20, 1 << 17), (5, 100)])
  func `buckets hold every gradient once, in order, and a word each`(gradients: Int, size: Int) {
    let others = 9
    let buckets = GradientBuckets(gradients: gradients, others: others, size: size)
    var gradient = 0
    var place = 0
    for bucket in 0..<buckets.count {
      #expect(buckets.range(bucket).lowerBound == gradient)
      #expect(buckets.place(bucket).lowerBound == place)
      let isLast = bucket == buckets.count - 1
      #expect(buckets.place(bucket).count == buckets.range(bucket).count + 1 + (isLast ? others : 0))
      gradient = buckets.range(bucket).upperBound
      place = buckets.place(bucket).upperBound
      // Rabenseifner's algorithm cuts a message among the ranks.
      #expect(buckets.range(bucket).count >= min(size / 2, gradients))
    }
    #expect(gradient == gradients)
    #expect(place == buckets.messageCount)
    #expect(buckets.othersStart == buckets.messageCount - others - 1)
  }
}
