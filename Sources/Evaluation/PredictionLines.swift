import Files
import Pictures
import Reporting

/// Predictions as text, a line an image, so that of any number the first are there at once.
package struct PredictionLines {
  package enum Form: Sendable { case text, csv, json }

  private let classNames: [String]
  private let form: Form

  package init(classNames: [String], form: Form) {
    self.classNames = classNames
    self.form = form
  }

  /// With its end; nil where there is none.
  package var header: String? {
    form == .csv ? CSVText.line(["input", "label", "name", "probability"] + classNames.map { "p(\($0))" }) : nil
  }

  /// With its end.
  package func line(_ input: String, _ probabilities: [Double]) -> String {
    // The first of the largest, as everywhere.
    let label = probabilities.indices.reduce(0) { probabilities[$1] > probabilities[$0] ? $1 : $0 }
    switch form {
    case .text:
      let order = probabilities.indices.sorted { (probabilities[$1], $0) < (probabilities[$0], $1) }.prefix(3)
      return "\(visible(input)): "
        + order.map { "\(visible(classNames[$0])) \(percent(probabilities[$0]))" }.joined(separator: ", ") + "\n"
    case .csv:
      return CSVText.line(
        [input, "\(label)", classNames[label], "\(probabilities[label])"] + probabilities.map { "\($0)" })
    case .json:
      return JSONText.of(
        Line(
          input: input, label: label, name: classNames[label], probability: probabilities[label],
          probabilities: probabilities)) + "\n"
    }
  }

  private struct Line: Encodable {
    var input: String
    var label: Int
    var name: String
    var probability: Double
    var probabilities: [Double]
  }
}
