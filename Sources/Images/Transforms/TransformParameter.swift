/// A number, or a range of numbers, that a configuration says of a transform.
package struct TransformParameter: Sendable {
  package let name: String
  /// What it is where nothing is said; as many numbers as must be given.
  package let fallback: [Double]
  /// What is allowed, as a message says it.
  package let expected: String
  package let allows: @Sendable ([Double]) -> Bool

  static func number(
    _ name: String, _ fallback: Double, from least: Double, to most: Double, whole: Bool = false
  ) -> TransformParameter {
    TransformParameter(
      name: name, fallback: [fallback],
      expected: "a \(whole ? "whole " : "")number from \(Self.text(least)) to \(Self.text(most))",
      allows: { $0.count == 1 && (least...most).contains($0[0]) && (!whole || $0[0] == $0[0].rounded()) })
  }

  /// The least and the most of what is drawn.
  static func range(
    _ name: String, _ fallback: ClosedRange<Double>, above bound: Double, to most: Double
  ) -> TransformParameter {
    TransformParameter(
      name: name, fallback: [fallback.lowerBound, fallback.upperBound],
      expected: "the least and the most, above \(Self.text(bound)) and up to \(Self.text(most))",
      allows: { $0.count == 2 && $0[0] > bound && $0[0] <= $0[1] && $0[1] <= most })
  }

  /// "1" for a whole number.
  package static func text(_ number: Double) -> String {
    number == number.rounded() && abs(number) < 1e15 ? "\(Int(number))" : "\(number)"
  }
}
