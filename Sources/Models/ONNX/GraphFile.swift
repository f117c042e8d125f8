import Files
import Files
import Formats
import Graph
import Kernels

/// A network read from an ONNX file, and its weights.
package struct GraphFile: Sendable {
  /// The file's tensor of a variable.
  struct Source: Sendable {
    var tensor: ONNXTensor
    /// The variable is (outputs, inputs), the tensor (inputs, outputs).
    var isTransposed = false
  }

  package let path: String
  package let network: Network
  package let metadata: [String: String]
  let sources: [String: Source]

  /// Throws for what is not ONNX, or no network: an error that lists every node which is not supported.
  package init(path: String) throws(FileError) {
    let model = try ONNXModel(path: path)
    let reader: GraphReader
    do throws(GraphError) {
      var made = try GraphReader(model)
      try made.read()
      reader = made
    } catch { throw FileError(path: path, reason: error.description) }
    self.path = path
    network = reader.network
    sources = reader.sources
    metadata = model.metadata
  }

  /// The file's weights and running statistics, under PyTorch's names.
  package var tensors: [NamedTensor] {
    let layout = ParameterLayout(network)
    let parameters = Tensor(count: layout.parameterCount)
    let statistics = Tensor(count: layout.statisticCount)
    load(layout, parameters: parameters.pointer, statistics: statistics.pointer)
    func named(_ entries: [ParameterLayout.Entry], _ block: Tensor) -> [NamedTensor] {
      entries.map { NamedTensor($0.name, shape: $0.shape, floats: Array(block.values[$0.range])) }
    }
    return named(layout.parameters, parameters) + named(layout.statistics, statistics)
  }

  /// Writes the file's weights and running statistics to their places.
  package func load(
    _ layout: ParameterLayout, parameters: UnsafeMutablePointer<Float>, statistics: UnsafeMutablePointer<Float>
  ) {
    for (entries, block) in [(layout.parameters, parameters), (layout.statistics, statistics)] {
      for entry in entries {
        // Branches and the like are not the file's.
        guard let source = sources[entry.name] else { continue }
        let values = source.tensor.floats()
        let target = block + entry.range.lowerBound
        guard source.isTransposed else {
          target.update(from: values, count: values.count)
          continue
        }
        let outputs = entry.shape[0]
        let inputs = values.count / outputs
        for output in 0..<outputs {
          for input in 0..<inputs { target[output * inputs + input] = values[input * outputs + output] }
        }
      }
    }
  }
}
