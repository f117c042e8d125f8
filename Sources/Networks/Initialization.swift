import Foundation
import Kernels

extension ParameterLayout {
  /// First values, addressed by the seed: filters normal with variance 2 / (outputs k^2) (He et al. 2015, fan out), dense
  /// layers uniform in +-1 / sqrt(inputs) (PyTorch's default), BatchNorm 1 and 0; running mean 0, variance 1.
  package func initialize(
    seed: Int, parameters values: UnsafeMutablePointer<Float>, statistics: UnsafeMutablePointer<Float>
  ) {
    for (index, entry) in parameters.enumerated() {
      var stream = RandomStream(seed: seed, purpose: .initialization, sample: index)
      let target = UnsafeMutableBufferPointer(start: values + entry.range.lowerBound, count: entry.range.count)
      switch entry.shape.count {
      case 4:
        let deviation = (2 / Double(entry.shape[0] * entry.shape[2] * entry.shape[3])).squareRoot()
        for element in target.indices { target[element] = Float(deviation * stream.normal()) }
      case 2:
        fillUniformly(target, inputs: entry.shape[1], &stream)
      case _ where isDenseBias(index):
        fillUniformly(target, inputs: parameters[index - 1].shape[1], &stream)
      default:
        target.update(repeating: entry.name.hasSuffix(".weight") ? 1 : 0)
      }
    }
    for entry in self.statistics {
      (statistics + entry.range.lowerBound).update(
        repeating: entry.name.hasSuffix("running_var") ? 1 : 0, count: entry.range.count)
    }
  }

  /// A vector right behind a dense layer's matrix is its bias; BatchNorm's follow a filter or their own weight.
  private func isDenseBias(_ index: Int) -> Bool { index > 0 && parameters[index - 1].shape.count == 2 }

  private func fillUniformly(
    _ target: UnsafeMutableBufferPointer<Float>, inputs: Int, _ stream: inout RandomStream
  ) {
    let bound = 1 / Double(inputs).squareRoot()
    for element in target.indices { target[element] = Float(stream.uniform(in: -bound...bound)) }
  }
}
