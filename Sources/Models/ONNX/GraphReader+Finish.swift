import Formats
import Graph
import Operators
import Runtime

/// Logits, taps, and what the whole graph shows.
extension GraphReader {
  mutating func finish() throws(GraphError) {
    guard let output = model.outputs.first, model.outputs.count == 1 else {
      throw GraphError("has \(counted(model.outputs.count, "output")), expected one: logits")
    }
    guard case .node(let logits, let extents)? = values[output.name] else {
      throw GraphError("output \(quoted(output.name)) does not depend on the images")
    }
    guard network.nodes[logits].shape.rank == 1, logits > 0 else {
      throw GraphError("the output has the shape \(extents), expected (batch, classes)")
    }
    network.endTrunk(logits: logits, features: features(of: logits))
    let defaults = defaultTaps()
    for module in modules { network.tap(module.node, as: module.path, byDefault: false) }
    for node in defaults { network.tap(node, as: tapName(node), byDefault: true) }
  }

  /// What the last dense layer reads.
  private func features(of logits: Int) -> Int {
    var node = logits
    while !(network.nodes[node].operator is Dense || network.nodes[node].operator is Projection) {
      guard let input = network.nodes[node].inputs.first, input > 0 else { return logits }
      node = input
    }
    return network.nodes[node].inputs[0]
  }

  /// The shortest path of a module that ends with the node; its own name where none does.
  private func tapName(_ node: Int) -> String {
    modules.filter { $0.node == node }.map(\.path).min { $0.count < $1.count } ?? network.nodes[node].name
  }

  /// The last node of each resolution: those before a reduction of it, and before pooling. Of a network of sequences,
  /// every third block.
  private func defaultTaps() -> [Int] {
    let nodes = network.nodes
    var sizes: [[Int]] = []
    var last: [[Int]: Int] = [:]
    // Where each map has its channels; a Transpose may move them.
    var channels: [Int?] = [0]
    for (index, node) in nodes.enumerated() where index > 0 && index <= network.output {
      let before = node.inputs.first.flatMap { channels[$0] }
      if let transpose = node.operator as? Transpose {
        channels.append(before.flatMap { transpose.permutation.firstIndex(of: $0) })
        continue
      }
      channels.append(node.operator is Reshape ? nil : before)
      guard before == 0, node.shape.rank == 3, node.shape[1] * node.shape[2] > 1 else { continue }
      let size = [node.shape[1], node.shape[2]]
      if last[size] == nil { sizes.append(size) }
      last[size] = index
    }
    let sums = nodes.indices.filter {
      nodes[$0].operator is Add && nodes[$0].inputs.count == 2 && nodes[$0].shape.rank == 2
    }
    if sums.count >= 4 {
      // Two sums a block.
      let blocks = stride(from: 1, to: sums.count, by: 2).map { sums[$0] }
      let every = stride(from: 2, to: blocks.count, by: 3).map { blocks[$0] }
      return every.isEmpty ? [blocks.last!] : every
    }
    let maps = sizes.map { last[$0]! }.sorted()
    return maps.isEmpty ? [network.features] : maps
  }

  /// A file whose batch normalisation the exporter folded into the convolutions cannot be trained as the model it was.
  func checkFolding() throws(GraphError) {
    let convolutions = model.nodes.filter { $0.kind == "Conv" }
    guard !model.nodes.contains(where: { $0.kind == "BatchNormalization" }), convolutions.count >= 4 else { return }
    let paths = model.nodes.flatMap(modulePaths) + model.initializers.keys
    let names = paths.flatMap { $0.split(separator: ".") }
    let isNormalized = names.contains { $0.wholeMatch(of: /bn[0-9]*|norm[0-9]+|batch_?norm.*/) != nil }
    // Weights that kept their names beside biases that have none.
    let folded = convolutions.filter { node in
      node.inputs.count > 2 && node.inputs[1].contains(".") && !node.inputs[2].contains(".")
        && (model.initializers[node.inputs[2]]?.floats().contains { $0 != 0 } ?? false)
    }
    guard isNormalized || folded.count * 2 > convolutions.count else { return }
    throw GraphError(
      "its batch normalisation was folded into the convolutions, as torch.onnx.export does unless it is told "
        + "not to; such a network cannot be trained as the model it was. Export it with "
        + "`launch/export-model SOURCE --output FILE`, or with torch.onnx.export(model.eval(), x, dynamo=True, optimize=False); "
        + "a checkpoint with `icp export CHECKPOINT --training --onnx FILE`"
    )
  }
}
