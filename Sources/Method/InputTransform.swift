/// Changes what the student sees.
package protocol InputTransform: ScalarSource {
  /// Puts images, and labels where they change, in the place of the shard's; they stay valid until the next call.
  func apply(to shard: inout ShardStep)
}
