import Foundation
import Kernels

/// Where a refined input may lie; without limits, anywhere.
package struct InputBounds: Sendable {
  /// Half the side of an L-infinity ball around x_0, in normalised units.
  package let epsilon: Float?
  /// What pixels can show, per channel, in normalised units.
  package let pixels: [ClosedRange<Float>]?

  package init(epsilon: Float? = nil, pixels: [ClosedRange<Float>]? = nil) {
    self.epsilon = epsilon
    self.pixels = pixels
  }

  /// Moves every element of x (channels last) to the nearest point of the ball around x_0, then of its
  /// channel's range. A NaN stays one, so that the loss shows it.
  package func project(_ x: UnsafeMutablePointer<Float>, around x0: UnsafePointer<Float>, count: Int) {
    if let epsilon {
      for i in 0..<count { x[i] = Self.clamp(x[i], x0[i] - epsilon, x0[i] + epsilon) }
    }
    if let pixels {
      precondition(count % pixels.count == 0, "\(count) values of \(pixels.count) channels")
      for (channel, range) in pixels.enumerated() {
        let (low, high) = (range.lowerBound, range.upperBound)
        for i in stride(from: channel, to: count, by: pixels.count) { x[i] = Self.clamp(x[i], low, high) }
      }
    }
  }

  /// A NaN stays one.
  package static func clamp(_ value: Float, _ low: Float, _ high: Float) -> Float {
    value < low ? low : value > high ? high : value
  }
}
