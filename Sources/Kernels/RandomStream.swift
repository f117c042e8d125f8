import Foundation

/// Random numbers that are addressed, not consumed: a stream is named by (seed, purpose, epoch, sample), so any
/// rank, at any time, draws the same numbers for the same thing, and a resumed run needs no saved state.
///
/// SplitMix64 (Steele, Lea, Flood 2014) after a start value that mixes every word of the address.
public struct RandomStream: RandomNumberGenerator, Sendable {
  /// What the numbers are for; keeps streams with the same seed apart.
  public enum Purpose: UInt64, Sendable {
    // The numbers are part of every result, so none may change.
    case order = 1
    case augmentation, initialization, perturbation, glyph, test
    case subset = 16
    case labelNoise, evaluation
    case mixtureWeight = 20
    case mixturePartner
    case refined
    case mixedBatch
    // What measures a finished network.
    case corruption = 32
    case attack, episode
    // Changes of training images that have a purpose of their own.
    case randomResizedCrop = 48
    case colorJitter, randAugment, randomErasing
    case search = 100
    case dropout = 110
  }

  private var state: UInt64

  public init(seed: Int, purpose: Purpose, epoch: Int = 0, sample: Int = 0) {
    state = 0
    for word in [UInt64(bitPattern: Int64(seed)), purpose.rawValue, UInt64(epoch), UInt64(sample)] {
      state = Self.mix(state &+ word &+ 0x9E37_79B9_7F4A_7C15)
    }
  }

  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    return Self.mix(state)
  }

  /// Uniform in [0, 1), 53 bits.
  public mutating func uniform() -> Double {
    Double(next() >> 11) * 0x1p-53
  }

  /// Uniform in `range`.
  public mutating func uniform(in range: ClosedRange<Double>) -> Double {
    range.lowerBound + (range.upperBound - range.lowerBound) * uniform()
  }

  /// Standard normal (Box and Muller 1958); takes two uniforms a value.
  public mutating func normal() -> Double {
    let radius = (-2 * log(1 - uniform())).squareRoot()
    return radius * cos(2 * .pi * uniform())
  }

  /// A uniform integer in 0..<bound, bound > 0, by Lemire's method without its (2^-64 bound) rejection: the bias is
  /// below 1e-13 for any index here.
  public mutating func integer(below bound: Int) -> Int {
    Int(next().multipliedFullWidth(by: UInt64(bound)).high)
  }

  /// The words of SplitMix64 without its counter: a hash of 64 bits.
  public static func mix(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
