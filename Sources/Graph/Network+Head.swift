/// The head of a network: what makes logits of features. It is the last matrix product or convolution that has weights,
/// and what comes after it.
extension Network {
  /// From the product to the logits; none where no such product leads there.
  private var headNodes: [Int] {
    var nodes = [output]
    while operations(of: nodes[0]) == 0 || variables(of: nodes[0]).isEmpty {
      guard let input = self.nodes[nodes[0]].inputs.first, input > 0 else { return [] }
      nodes.insert(input, at: 0)
    }
    return nodes
  }

  /// The names of its variables.
  package var head: [String] { headNodes.flatMap { variables(of: $0).map(\.name) } }

  /// The same network with a head for another number of classes. Throws where its head cannot be another size.
  package func resizingHead(to classes: Int) throws(GraphError) -> Network {
    precondition(branches.isEmpty, "branches have heads of their own")
    guard let product = headNodes.first, let resized = nodes[product].operator.resized(outputs: classes) else {
      throw GraphError("model.head: new: this network does not end in a layer that can be of another size")
    }
    var network = Network(input: input)
    for (index, node) in nodes.enumerated().dropFirst() {
      _ = try network.append(index == product ? resized : node.operator, named: node.name, reading: node.inputs)
    }
    guard network.nodes[output].shape == SampleShape(classes) else {
      throw GraphError(
        "model.head: new: after \(nodes[product].name) it gives \(network.nodes[output].shape), not \(classes) logits")
    }
    network.endTrunk(logits: output, features: features)
    for (index, tap) in taps.enumerated() {
      // A module's path and a default tap may be one name: the latter comes last.
      let isLast = taps.lastIndex { $0.name == tap.name } == index
      network.tap(tap.node, as: tap.name, byDefault: isLast && defaultTaps.contains(tap.name))
    }
    return network
  }
}
