/// Numbers as integers of unit 2^-44, so that their sum does not depend on its order: any rank count, any
/// bucket, any algorithm gives the same bits.
///
/// What is summed are shards' means, each times its shard's share of the batch. A mean is checked to be at
/// most 2^18; the share is multiplied in, in double precision, and the product rounded half to even. Shares
/// add up to 1, so the sum stays within 2^62 however many shards there are.
package enum FixedPoint {
  /// The largest magnitude that is taken.
  package static let largest: Float = 0x1p18
  private static let unit = 0x1p-44
  private static let scale = 0x1p44

  /// sums[i] += share values[i] for `count` values. Returns how many were refused, being not finite or too
  /// large; those add nothing. `share` is in 0...1.
  package static func add(
    _ values: UnsafePointer<Float>, count: Int, share: Double, to sums: UnsafeMutablePointer<Int64>
  ) -> Int {
    precondition((0...1).contains(share), "a share of \(share)")
    let factor = share * scale
    var refused: Int64 = 0
    for index in 0..<count {
      // Not `<` negated: a comparison with NaN is false.
      let isTaken = values[index].magnitude <= largest
      refused &+= isTaken ? 0 : 1
      // Wraps only where shares add up to 2: plain `+` would check it, and keep the loop from running in
      // vectors.
      sums[index] &+= rounded(isTaken ? Double(values[index]) * factor : 0)
    }
    return Int(refused)
  }

  /// The same for one value in double precision; returns 1 where it was refused.
  package static func add(_ value: Double, share: Double, to sum: inout Int64) -> Int {
    precondition((0...1).contains(share), "a share of \(share)")
    guard value.magnitude <= Double(largest) else { return 1 }
    sum &+= rounded(value * (share * scale))
    return 0
  }

  /// The number that a sum stands for.
  package static func decode(_ sum: Int64) -> Double { Double(sum) * unit }

  package static func decode(
    _ sums: UnsafePointer<Int64>, count: Int, into values: UnsafeMutablePointer<Float>
  ) {
    for index in 0..<count { values[index] = Float(decode(sums[index])) }
  }

  /// `y` rounded half to even, |y| <= 2^62.
  ///
  /// `Int64(y.rounded(.toNearestOrEven))` is the same but has no vector instruction before AVX-512. Adding
  /// 1.5 * 2^52 to a number below 2^51 leaves its rounded value in the sum's last bits; so y is split into h
  /// 2^32 + l with |h| <= 2^30 and |l| <= 2^31, both exact, and each half converted that way. h 2^32 is even,
  /// so l alone decides ties.
  @inline(__always)
  private static func rounded(_ y: Double) -> Int64 {
    let shift = 0x1.8p52
    let high = y * 0x1p-32 + shift
    let low = (y - (high - shift) * 0x1p32) + shift
    let zero = Int64(bitPattern: shift.bitPattern)
    let (h, l) = (Int64(bitPattern: high.bitPattern) &- zero, Int64(bitPattern: low.bitPattern) &- zero)
    return h << 32 &+ l
  }
}
