import Formats
import Foundation
import Testing

/// Reference values from PyTorch: a safetensors file, in PyTorch's layouts (NCHW, OIHW).
package struct Golden: Sendable {
  package let file: SafetensorsFile

  /// The repository's own set, Tests/Fixtures/NAME.safetensors.
  package init(fixture name: String) throws {
    file = try SafetensorsFile(path: "\(PackageRoot.path)/Tests/Fixtures/\(name).safetensors")
  }

  /// The large set, ../shared/golden/NAME.safetensors; nil, said loudly, where it is missing.
  package init?(shared name: String) throws {
    guard let path = SharedFiles.path("golden/\(name).safetensors") else { return nil }
    file = try SafetensorsFile(path: path)
  }

  /// Where a test's reference values come from.
  package enum Source: String, CaseIterable, Sendable {
    case fixture, shared
  }

  /// The set of that name from a source, nil where the source is missing.
  package static func load(_ name: String, from source: Source) throws -> Golden? {
    source == .fixture ? try Golden(fixture: name) : try Golden(shared: name)
  }

  package func has(_ name: String) -> Bool { file.tensors.contains { $0.name == name } }
  package func shape(_ name: String) -> [Int] { file.tensors.first { $0.name == name }!.shape }
  package func floats(_ name: String) throws -> [Float] { try file.floats(name) }
  package func scalar(_ name: String) throws -> Double { Double(try file.floats(name)[0]) }
  package func labels(_ name: String) throws -> [Int32] { try file.integers(name).map { Int32($0) } }

  /// A tensor (batch, channels, height, width) as (batch, height, width, channels).
  package func channelsLast(_ name: String) throws -> [Float] {
    Layout.channelsLast(try floats(name), shape: shape(name))
  }
}

/// Between PyTorch's layout of feature maps and ours.
package enum Layout {
  package static func channelsLast(_ values: [Float], shape: [Int]) -> [Float] {
    permuted(values, shape) { last, first, result in result[last] = values[first] }
  }

  package static func channelsFirst(_ values: [Float], shape: [Int]) -> [Float] {
    permuted(values, shape) { last, first, result in result[first] = values[last] }
  }

  /// Calls `copy` with each element's index in either layout; `shape` is (batch, channels, height, width).
  private static func permuted(_ values: [Float], _ shape: [Int], copy: (Int, Int, inout [Float]) -> Void) -> [Float] {
    guard shape.count == 4 else { return values }
    let (batch, channels, positions) = (shape[0], shape[1], shape[2] * shape[3])
    var result = [Float](repeating: 0, count: values.count)
    for sample in 0..<batch {
      for channel in 0..<channels {
        for position in 0..<positions {
          copy(
            (sample * positions + position) * channels + channel, (sample * channels + channel) * positions + position,
            &result)
        }
      }
    }
    return result
  }
}

/// Distances between arrays, as the tolerances are stated.
package enum Distance {
  /// Largest difference over largest value of the reference.
  package static func maximum(_ ours: some Collection<Float>, _ reference: some Collection<Float>) -> Double {
    guard ours.count == reference.count else { return .infinity }
    var difference = 0.0
    var largest = 0.0
    for (a, b) in zip(ours, reference) {
      guard a.isFinite else { return .infinity }
      difference = max(difference, Double(abs(a - b)))
      largest = max(largest, Double(abs(b)))
    }
    return difference / max(largest, .leastNormalMagnitude)
  }

  /// ||a - b|| / ||b||
  package static func relative(_ ours: some Collection<Float>, _ reference: some Collection<Float>) -> Double {
    guard ours.count == reference.count else { return .infinity }
    let (difference, size) = zip(ours, reference).reduce((0.0, 0.0)) { sums, pair in
      let d = Double(pair.0) - Double(pair.1)
      return (sums.0 + d * d, sums.1 + Double(pair.1) * Double(pair.1))
    }
    return (difference / max(size, .leastNormalMagnitude)).squareRoot()
  }

  /// mean |a - b|
  package static func mean(_ ours: some Collection<Float>, _ reference: some Collection<Float>) -> Double {
    guard ours.count == reference.count, !ours.isEmpty else { return .infinity }
    return zip(ours, reference).reduce(0.0) { $0 + Double(abs($1.0 - $1.1)) } / Double(ours.count)
  }
}
