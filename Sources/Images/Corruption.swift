import Foundation
import Kernels

/// A change of an image that leaves its class: noise, blur, light. Made here from the test set's own pixels, so these
/// are not the images of CIFAR-C, though the magnitudes are those of its authors (Hendrycks and Dietterich 2019, for
/// CIFAR): theirs are rounded to bytes, and they brighten in another colour space.
package struct Corruption: Sendable {
  package enum Kind: String, CaseIterable, Sendable {
    /// x + s z, z standard normal
    case gaussianNoise = "gaussian_noise"
    /// x * Gaussian of s pixels, of the image as the network sees it; what lies outside is the nearest pixel of the
    /// edge
    case gaussianBlur = "gaussian_blur"
    /// x + s
    case brightness
    /// m + s (x - m), m the channel's mean in this image
    case contrast

    /// s at severity 1, 2, ... 5; pixel values are in 0..1.
    package var magnitudes: [Double] {
      switch self {
      case .gaussianNoise: [0.04, 0.06, 0.08, 0.09, 0.10]
      case .gaussianBlur: [0.4, 0.6, 0.7, 0.8, 1]
      case .brightness: [0.05, 0.1, 0.15, 0.2, 0.3]
      case .contrast: [0.75, 0.5, 0.4, 0.3, 0.15]
      }
    }
  }

  package static let severities = 1...5

  package let kind: Kind
  private let magnitude: Double
  private let seed: Int
  private let kernel: [Double]

  /// `seed` and the sample's number address the noise: the same at every severity, so that only its size differs.
  package init(_ kind: Kind, severity: Int, seed: Int) {
    precondition(Self.severities.contains(severity), "severity \(severity)")
    self.kind = kind
    self.seed = seed
    magnitude = kind.magnitudes[severity - 1]
    kernel = kind == .gaussianBlur ? Self.kernel(sigma: magnitude) : []
  }

  /// exp(-k^2 / 2 sigma^2) for k in -4 sigma ... 4 sigma, scaled to a sum of 1.
  package static func kernel(sigma: Double) -> [Double] {
    let radius = Int(4 * sigma + 0.5)
    let weights = (-radius...radius).map { exp(-Double($0 * $0) / (2 * sigma * sigma)) }
    let sum = weights.reduce(0, +)
    return weights.map { $0 / sum }
  }

  /// `pixels`: a sample's bytes, plane by plane. `output`: `shape.count` pixel values in 0..1, plane by plane; what the
  /// change takes out of that range is cut off.
  package func apply(
    _ pixels: UnsafePointer<UInt8>, shape: ImageShape, sample: Int, into output: UnsafeMutablePointer<Double>
  ) {
    for index in 0..<shape.count { output[index] = Double(pixels[index]) / 255 }
    switch kind {
    case .gaussianNoise:
      var stream = RandomStream(seed: seed, purpose: .corruption, sample: sample)
      for index in 0..<shape.count { output[index] += magnitude * stream.normal() }
    case .gaussianBlur:
      forEachPlane(of: shape, output) { plane in blur(plane, height: shape.height, width: shape.width) }
    case .brightness:
      for index in 0..<shape.count { output[index] += magnitude }
    case .contrast:
      forEachPlane(of: shape, output) { plane in
        let mean = plane.reduce(0, +) / Double(plane.count)
        for index in plane.indices { plane[index] = mean + magnitude * (plane[index] - mean) }
      }
    }
    for index in 0..<shape.count { output[index] = min(max(output[index], 0), 1) }
  }

  private func forEachPlane(
    of shape: ImageShape, _ values: UnsafeMutablePointer<Double>, _ body: (UnsafeMutableBufferPointer<Double>) -> Void
  ) {
    let area = shape.height * shape.width
    for channel in 0..<shape.channels { body(UnsafeMutableBufferPointer(start: values + channel * area, count: area)) }
  }

  /// Rows, then columns: a Gaussian is the product of two.
  private func blur(_ plane: UnsafeMutableBufferPointer<Double>, height: Int, width: Int) {
    withUnsafeTemporaryAllocation(of: Double.self, capacity: plane.count) { rows in
      for y in 0..<height {
        for x in 0..<width {
          rows[y * width + x] = blurred(at: x, of: width) { plane[y * width + $0] }
        }
      }
      for y in 0..<height {
        for x in 0..<width {
          plane[y * width + x] = blurred(at: y, of: height) { rows[$0 * width + x] }
        }
      }
    }
  }

  private func blurred(at center: Int, of count: Int, _ value: (Int) -> Double) -> Double {
    let radius = kernel.count / 2
    var sum = 0.0
    for (index, weight) in kernel.enumerated() {
      sum += weight * value(min(max(center + index - radius, 0), count - 1))
    }
    return sum
  }
}
