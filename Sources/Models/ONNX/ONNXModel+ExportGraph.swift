import Formats
import Graph

extension ONNXModel {
  /// The file of a graph with its weights, the batch free. `metadata` is the file's, beside what tells our reader apart
  /// which tensors are trained.
  /// - Parameter weights: of each variable of the graph, by name, its values.
  package init(_ graph: ExportGraph, weights: [String: [Float]], producer: String, metadata: [String: String]) {
    func tensor(_ constant: ExportGraph.Constant) -> ONNXTensor {
      switch constant.values {
      case .floats(let values): ONNXTensor(name: constant.name, shape: constant.shape, floats: values)
      case .integers(let values): ONNXTensor(name: constant.name, shape: constant.shape, integers: values)
      }
    }
    let tensors = graph.variables.map { variable in
      ONNXTensor(name: variable.name, shape: variable.shape, floats: weights[variable.name]!)
    }
    // As launch/export-model notes them: names without dots would be taken for constants'.
    let bare = graph.variables.filter { $0.kind == .parameter && !$0.name.contains(".") }.map(\.name).sorted()
    func value(_ value: ExportGraph.Value) -> Value { Value(value.name, dimensions: [nil] + value.shape.extents) }
    self.init(
      opset: ExportGraph.operatorSet, producer: producer,
      metadata: bare.isEmpty
        ? metadata : metadata.merging(["parameters": bare.joined(separator: ",")]) { own, _ in own },
      nodes: graph.nodes.map(Node.init), initializers: tensors + graph.constants.map(tensor),
      inputs: [value(graph.input)], outputs: [value(graph.output)])
  }
}

extension ONNXModel.Node {
  fileprivate init(_ node: ExportGraph.Node) {
    self.init()
    name = node.output
    kind = node.kind
    inputs = node.inputs
    outputs = [node.output]
    attributes = node.attributes.mapValues { attribute in
      switch attribute {
      case .integer(let value): .integer(value)
      case .float(let value): .float(value)
      case .text(let value): .text(value)
      case .integers(let values): .integers(values)
      }
    }
    guard !node.modules.isEmpty else { return }
    // As PyTorch's exporter notes paths of modules, the operation last.
    let scopes = ([""] + node.modules + [node.output]).map { "'\($0)'" }
    metadata["pkg.torch.onnx.name_scopes"] = "[\(scopes.joined(separator: ", "))]"
  }
}
