import Files
import Formats
import Graph

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

  /// Throws: a `FormatError` for what is not ONNX, a `GraphError` that lists every node which is not supported.
  package init(path: String) throws {
    let model = try ONNXModel(path: path)
    var reader = try GraphReader(model)
    try reader.read()
    self.path = path
    network = reader.network
    sources = reader.sources
    metadata = model.metadata
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
