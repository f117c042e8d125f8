extension Network {
  /// What the network does with the output of `node`, which becomes its input; node k of this is k - `node` of it. The
  /// layout of its parameters is the beginning of this one's, that of its running statistics the end.
  /// Throws: a later node that reads an earlier one.
  package func tail(after node: Int, named name: String, key: String) throws(GraphError) -> Network {
    var tail = Network(input: nodes[node].shape)
    for (index, entry) in nodes.enumerated().dropFirst(node + 1).prefix(max(output - node, 0)) {
      guard let early = entry.inputs.first(where: { $0 < node }) else {
        _ = try tail.append(entry.operator, named: entry.name, reading: entry.inputs.map { $0 - node })
        precondition(tail.nodes.count == index - node + 1, "every node is there")
        continue
      }
      throw GraphError("\(key): \(entry.name) comes after '\(name)' and reads \(nodes[early].name) before it")
    }
    guard node < features else { throw GraphError("\(key): nothing but the logits comes after '\(name)'") }
    tail.endTrunk(logits: output - node, features: features - node)
    return tail
  }
}
