import Files
import Foundation

/// A report for scripts: a JSON object whose keys are sorted. What does not apply is null, not missing.
package enum BenchmarkValue: Encodable {
  case integer(Int?)
  case number(Double?)
  case text(String)
  case list([BenchmarkValue])
  case object([String: BenchmarkValue])

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .integer(let value?): try container.encode(value)
    case .number(let value?) where value.isFinite: try container.encode(value)
    case .integer, .number: try container.encodeNil()
    case .text(let value): try container.encode(value)
    case .list(let values): try container.encode(values)
    case .object(let values): try container.encode(values)
    }
  }

  package var json: String {
    JSONText.of(self)
  }
}
