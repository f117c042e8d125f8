import Kernels

/// Points that fill a cube evenly, and any beginning of them does: Halton's sequence (1960), each dimension in the base
/// of a prime of its own, the digits of each place in an order drawn by the seed, without which dimensions of few
/// points run alike (Braaten and Weller 1979). A dimension does not depend on how many others there are.
struct EvenSequence {
  let seed: Int

  private static let primes = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71]
  static var dimensions: Int { primes.count }

  /// Coordinate `dimension` of point `index`, both from 0: in [0, 1). The first b points lie in different b-ths of it,
  /// b being the dimension's prime.
  func coordinate(_ dimension: Int, of index: Int) -> Double {
    let base = Self.primes[dimension]
    // Sample 0 is no trial's.
    var stream = RandomStream(seed: seed, purpose: .search, epoch: dimension, sample: 0)
    var (rest, value, size) = (index, 0.0, 1.0)
    // Places after the last digit are zeros, whose order is drawn too.
    while size > 1e-9 {
      var digits = Array(0..<base)
      stream.shuffle(&digits)
      size /= Double(base)
      value += size * Double(digits[rest % base])
      rest /= base
    }
    return min(value, 1 - 0x1p-53)
  }
}
