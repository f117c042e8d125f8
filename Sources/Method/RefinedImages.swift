/// x_T, of all samples of a shard or of some of them.
struct RefinedImages {
  /// (samples, height, width, channels); valid until the next refinement.
  var images: UnsafeMutablePointer<Float>
  /// Addresses of the samples.
  var samples: UnsafeBufferPointer<Int>
  /// Their places in the shard; nil where these are all of it, in their order.
  var places: UnsafePointer<Int>?
}
