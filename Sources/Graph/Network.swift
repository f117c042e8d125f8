import Kernels

/// A network as data: operators in the order they run, each naming the nodes it reads. Executors make plans from it;
/// nothing here computes.
package struct Network: Sendable {
  package struct Node: Sendable {
    /// The module's path in PyTorch, or the operator's name in a file; unique.
    package var name: String
    package var `operator`: any Operator
    /// Nodes before this one.
    package var inputs: [Int]
    package var shape: SampleShape
  }

  /// A node under a name that a user can tap.
  package struct Tap: Hashable, Sendable {
    package var name: String
    package var node: Int
  }

  /// A classifier beside the network's own, which takes part in training alone.
  package struct Branch: Hashable, Sendable {
    package var pool, hidden, logits: Int
    package init(pool: Int, hidden: Int, logits: Int) {
      self.pool = pool
      self.hidden = hidden
      self.logits = logits
    }
  }

  package private(set) var nodes: [Node]
  /// In the order of the network.
  package private(set) var taps: [Tap] = []
  /// The taps of a run that names none.
  package private(set) var defaultTaps: [String] = []
  /// The node of the logits; the last one until `endTrunk`.
  package private(set) var output = 0
  /// The node that the logits are read from.
  package private(set) var features = 0
  package var branches: [Branch] = []
  /// What training leaves as it is.
  package var freeze = Freeze()

  package init(input: SampleShape) {
    nodes = [Node(name: "input", operator: Input(input), inputs: [], shape: input)]
  }

  /// (channels, height, width)
  package var input: SampleShape { nodes[0].shape }
  /// The shape of an image.
  package var image: Shape { Shape(input, samples: 1) }
  package var classes: Int { nodes[output].shape.count }

  /// Appends a node that reads `inputs` and returns its index. Throws what the operator says of their shapes.
  package mutating func append(_ operator: some Operator, named name: String, reading inputs: Int...) throws(GraphError)
    -> Int
  {
    try append(`operator`, named: name, reading: inputs)
  }

  package mutating func append(_ operator: any Operator, named name: String, reading inputs: [Int]) throws(GraphError)
    -> Int
  {
    precondition(inputs.allSatisfy(nodes.indices.contains), "\(name) reads \(inputs) of \(nodes.count) nodes")
    let shape: SampleShape
    do {
      shape = try `operator`.shape(of: inputs.map { nodes[$0].shape })
    } catch {
      throw GraphError("\(name) (\(`operator`.kind)): \(error)")
    }
    nodes.append(Node(name: name, operator: `operator`, inputs: inputs, shape: shape))
    return nodes.count - 1
  }

  /// The network's own part is complete: `logits` are its output, read from `features`.
  package mutating func endTrunk(logits: Int, features: Int) {
    output = logits
    self.features = features
  }

  package mutating func tap(_ node: Int, as name: String, byDefault: Bool) {
    taps.append(Tap(name: name, node: node))
    if byDefault { defaultTaps.append(name) }
  }

  /// The network without its branches, the nodes in the same places.
  package var trunk: Network {
    guard !branches.isEmpty else { return self }
    var trunk = self
    trunk.nodes.removeSubrange((output + 1)...)
    trunk.branches = []
    return trunk
  }

  /// The shapes that a node reads.
  package func inputShapes(of node: Int) -> [SampleShape] { nodes[node].inputs.map { nodes[$0].shape } }

  /// Multiplications and additions of one forward pass of one sample, dense layers and convolutions.
  package var operations: Int { nodes.indices.reduce(0) { $0 + operations(of: $1) } }
  package func operations(of node: Int) -> Int { nodes[node].operator.operations(of: inputShapes(of: node)) }

  /// What a node owns.
  package func variables(of node: Int) -> [Variable] { nodes[node].operator.variables(of: inputShapes(of: node)) }
}

extension Network {
  /// Taps that every network has.
  private var standardTaps: [Tap] { [Tap(name: "logits", node: output), Tap(name: "pooled", node: features)] }

  /// The nodes of the named taps, in the order given: a tap of the network, `logits`, `pooled`, or any node's name.
  /// Throws: a name that is not a tap (the message lists those that are), or two names of one node; `key` says where.
  package func tappedNodes(_ names: [String]?, key: String = "distillation.taps") throws(GraphError) -> [Int] {
    var found: [Int] = []
    for name in names ?? defaultTaps {
      let tap =
        (taps + standardTaps).first { $0.name == name }?.node
        ?? nodes.lastIndex { $0.name == name && $0.name != "input" }
      guard let tap else {
        let names = taps.map(\.name) + ["pooled", "logits"]
        let valid = names.prefix(60).joined(separator: ", ") + (names.count > 60 ? " and \(names.count - 60) more" : "")
        throw GraphError("\(key): there is no tap '\(name)'; this model has: \(valid)")
      }
      guard !found.contains(tap) else {
        throw GraphError("\(key): '\(name)' names a layer that another tap names already")
      }
      found.append(tap)
    }
    return found
  }
}
