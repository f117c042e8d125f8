import Kernels
import Reduction
import Testing

@Suite struct `Fixed point` {
  private func sum(_ values: [Float], share: Double = 1) -> (sums: [Int64], refused: Int) {
    var sums = [Int64](repeating: 0, count: values.count)
    let refused = FixedPoint.add(values, count: values.count, share: share, to: &sums)
    return (sums, refused)
  }

  /// Normal values at every scale that gradients have.
  private func values(_ count: Int, seed: Int = 1) -> [Float] {
    var stream = RandomStream(seed: seed, purpose: .test)
    return (0..<count).map { _ in Float(stream.normal() * exp2(stream.uniform(in: -60...15))) }
  }

  @Test(arguments: [1, 0.25, 1.0 / 3, 17.0 / 128])
  func `rounds the share of each value half to even`(share: Double) {
    let values = values(10_000) + [0, -0.0, FixedPoint.largest, -FixedPoint.largest, .leastNonzeroMagnitude]
    let expected = values.map { Int64((Double($0) * share * 0x1p44).rounded(.toNearestOrEven)) }
    #expect(sum(values, share: share).sums == expected)
    for (value, integer) in zip(values, expected) {
      var single: Int64 = 0
      #expect(FixedPoint.add(Double(value), share: share, to: &single) == 0)
      #expect(single == integer)
    }
  }

  // Where the two halves of the conversion meet: halves, multiples of 2^31 and 2^32, and their neighbours.
  @Test func `rounds ties to even everywhere in its range`() {
    let bases = [
      0, 1, 2, 3, 0x7FFF_FFFF, 0x8000_0000, 0x8000_0001, 0x1_0000_0000, 0x1_8000_0000, 0x3_FFFF_FFFF,
    ]
    for base in bases {
      for offset in [-0.75, -0.5, -0.25, 0, 0.25, 0.5, 0.75] {
        for sign in [1.0, -1] {
          let units = sign * (Double(base) + offset)
          var sum: Int64 = 0
          #expect(FixedPoint.add(units * 0x1p-44, share: 1, to: &sum) == 0)
          #expect(sum == Int64(units.rounded(.toNearestOrEven)), "\(units)")
        }
      }
    }
  }

  @Test func `the sum of shards has the same bits in any order`() {
    let shards = (0..<7).map { values(500, seed: $0) }
    func total(_ order: [Int]) -> [Int64] {
      var sums = [Int64](repeating: 0, count: 500)
      for shard in order { _ = FixedPoint.add(shards[shard], count: 500, share: 1.0 / 7, to: &sums) }
      return sums
    }
    let expected = total([0, 1, 2, 3, 4, 5, 6])
    for order in [[6, 5, 4, 3, 2, 1, 0], [3, 0, 6, 1, 5, 2, 4]] { #expect(total(order) == expected) }
    // As ranks do it: each its own shards, then the sum of the ranks' sums.
    let ranks = [total([0, 1, 2]), total([3]), total([4, 5, 6])]
    #expect((0..<500).map { index in ranks.reduce(0) { $0 + $1[index] } } == expected)
    // The promise is not empty: the same sums in float32 depend on the order.
    func plain(_ order: [Int]) -> [Float] {
      (0..<500).map { index in order.reduce(0) { $0 + shards[$1][index] / 7 } }
    }
    #expect(plain([0, 1, 2, 3, 4, 5, 6]) != plain([6, 5, 4, 3, 2, 1, 0]))
  }

  @Test(arguments: [1, 2, 3, 7, 128, 1000])
  func `any number of shards of the largest value stays in range`(shards: Int) {
    for largest in [FixedPoint.largest, -FixedPoint.largest] {
      var sums: [Int64] = [0]
      for _ in 0..<shards {
        #expect(FixedPoint.add([largest], count: 1, share: 1 / Double(shards), to: &sums) == 0)
      }
      // Half a unit of rounding a shard, and the shares' own rounding, 2^-53 of 2^62.
      #expect(abs(FixedPoint.decode(sums[0]) - Double(largest)) <= 0x1p-44 * Double(shards + 1024))
    }
  }

  @Test func `values that are not finite or too large are counted, and add nothing`() {
    let bad: [Float] = [.nan, -.nan, .signalingNaN, .infinity, -.infinity, FixedPoint.largest.nextUp, -3e38]
    let (sums, refused) = sum(bad + [1] + bad + [FixedPoint.largest])
    #expect(refused == 2 * bad.count)
    #expect(sums[bad.count] == 1 << 44)
    #expect(sums[2 * bad.count + 1] == 1 << 62)
    #expect(sums.count { $0 != 0 } == 2)
    for value in [Double.nan, .infinity, -0x1.00001p18] {
      var sum: Int64 = 5
      #expect(FixedPoint.add(value, share: 0.5, to: &sum) == 1)
      #expect(sum == 5)
    }
  }

  @Test func `decoding gives a value back to the resolution of 2^-44`() {
    let values = values(1000)
    var decoded = [Float](repeating: 0, count: values.count)
    FixedPoint.decode(sum(values).sums, count: values.count, into: &decoded)
    for (value, result) in zip(values, decoded) {
      // Half a unit of rounding, then the float nearest to it.
      #expect(abs(Double(value) - Double(result)) <= 0x1p-45 + Double(value.ulp) / 2)
    }
  }
}

private func exp2(_ power: Double) -> Double {
  Double(sign: .plus, exponent: Int(power.rounded()), significand: 1)
}
