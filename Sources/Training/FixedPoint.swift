/// Values as integers of unit 2^-44, so that their sum does not depend on its order: any rank count, any bucket, any
/// algorithm gives the same bits.
///
/// A shard's mean is checked to be at most 2^18, then its share of the batch is multiplied in, in double precision, and
/// rounded half to even. Shares add up to 1, so a sum stays within 2^62 however many shards there are.
package enum FixedPoint {
  /// The largest magnitude that is taken.
  package static let largest: Float = 0x1p18
  private static let scale = 0x1p44
  private static let unit = 0x1p-44

  /// Adds `share` times each value to its sum. Returns how many were refused (not finite, or too large): those add nothing.
  package static func add(
    _ values: UnsafePointer<Float>, count: Int, share: Double, to sums: UnsafeMutablePointer<Int64>
  ) -> Int {
    let factor = share * scale
    var refused = 0
    for index in 0..<count {
      let value = values[index]
      // A comparison with NaN is false, so it takes the other branch.
      guard value.magnitude <= largest else {
        refused += 1
        continue
      }
      sums[index] += Int64((Double(value) * factor).rounded(.toNearestOrEven))
    }
    return refused
  }

  /// The same for one value in double precision; 1 where it was refused.
  package static func add(_ value: Double, share: Double, to sum: inout Int64) -> Int {
    guard value.magnitude <= Double(largest) else { return 1 }
    sum += Int64((value * share * scale).rounded(.toNearestOrEven))
    return 0
  }

  package static func decode(_ sum: Int64) -> Double { Double(sum) * unit }

  package static func decode(
    _ sums: UnsafePointer<Int64>, count: Int, into values: UnsafeMutablePointer<Float>
  ) {
    for index in 0..<count { values[index] = Float(Double(sums[index]) * unit) }
  }
}
