import Graph
import Models
import Optimization

extension Trainer {
  /// "conv1.weight", of weights, running statistics, averages or the optimiser's state; nil where all are finite.
  func firstNotFinite() -> String? {
    let layout = model.layout
    func blocks(_ prefix: String, _ model: ModelState) -> [(
      String, UnsafeMutableBufferPointer<Float>, [ParameterLayout.Entry]
    )] {
      [(prefix, model.parameters.values, layout.parameters), (prefix, model.statistics.values, layout.statistics)]
    }
    let blocks =
      blocks("", model) + (average.map { blocks("the average of ", $0.model) } ?? [])
      + optimizer.slots.map { ("\($0.name) of ", $0.values, layout.parameters) }
    for (prefix, values, entries) in blocks where !allFinite(values) {
      let entry = entries.first { !allFinite(UnsafeMutableBufferPointer(rebasing: values[$0.range])) }
      return prefix + (entry?.name ?? "a value")
    }
    return nil
  }

  /// x - x is 0 of a finite x and not a number of others, and a sum of such zeros stays 0: no branch in the loop, since
  /// training waits for it.
  private func allFinite(_ values: UnsafeMutableBufferPointer<Float>) -> Bool {
    var sum = SIMD16<Float>.zero
    var index = 0
    let base = UnsafeRawPointer(values.baseAddress!)
    while index + 16 <= values.count {
      let lanes = base.loadUnaligned(fromByteOffset: index * 4, as: SIMD16<Float>.self)
      sum += lanes - lanes
      index += 16
    }
    return sum == .zero && values[index...].allSatisfy(\.isFinite)
  }
}
