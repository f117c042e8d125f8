/// A network as nodes of ONNX's operators: what an ONNX file holds, and what a checkpoint says of its network.
///
/// Every value has the batch for its first axis, then a sample's axes as PyTorch numbers them. Operators write their
/// nodes themselves (`Operator.export`); weights are meant by their names.
package struct ExportGraph: Sendable {
  /// ONNX's operator set: the first whose GroupNormalization scales by channel.
  package static let operatorSet = 21

  package struct Node: Sendable, Equatable {
    package var kind: String
    /// Values, constants and weights by name; an empty name for an input that is left out.
    package var inputs: [String]
    package var output: String
    package var attributes: [String: Attribute]
    /// Paths of the modules that end with the node, outermost first: names under which it can be tapped.
    package var modules: [String] = []
  }

  package enum Attribute: Sendable, Equatable {
    case integer(Int)
    case float(Float)
    case text(String)
    case integers([Int])
  }

  /// A tensor that no training changes.
  package struct Constant: Sendable, Equatable {
    package enum Values: Sendable, Equatable {
      case integers([Int])
      case floats([Float])
    }
    package var name: String
    package var shape: [Int]
    package var values: Values
  }

  /// What an operator reads.
  package struct Value: Sendable {
    package var name: String
    package var shape: SampleShape
  }

  package let input: Value
  package private(set) var output: Value
  package private(set) var nodes: [Node] = []
  package private(set) var constants: [Constant] = []
  /// Weights and running statistics that the nodes read, in the network's order.
  package private(set) var variables: [Variable] = []
  private var names: Set<String> = []
  /// The network's node that is being written.
  private var current = ""
  private var batch: String?

  /// Of the network's own part: branches are for training alone.
  package init(_ network: Network) {
    let trunk = network.trunk
    input = Value(name: "images", shape: trunk.input)
    output = Value(name: "logits", shape: trunk.nodes[trunk.output].shape)
    variables = trunk.nodes.indices.flatMap { trunk.variables(of: $0) }
    names = Set(variables.map(\.name)).union([input.name, output.name])
    var values = [input]
    for (index, node) in trunk.nodes.enumerated().dropFirst() {
      current = node.name
      let first = nodes.count
      let written = node.operator.export(node.inputs.map { values[$0] }, to: &self)
      guard let last = nodes.lastIndex(where: { $0.output == written }) else {
        preconditionFailure("\(node.name) (\(node.operator.kind)) has written no node")
      }
      nodes[last].output = index == trunk.output ? output.name : unique(node.name)
      // A reader may take the last ones for nothing, such as a Reshape of positions that were samples.
      let modules = trunk.taps.filter { $0.node == index }.map(\.name)
      for written in first..<nodes.count { nodes[written].modules = modules }
      values.append(Value(name: nodes[last].output, shape: node.shape))
    }
  }

  private mutating func unique(_ name: String) -> String {
    var candidate = name
    var number = 1
    while !names.insert(candidate).inserted {
      number += 1
      candidate = "\(name)_\(number)"
    }
    return candidate
  }

  /// A name of the node's that no reader takes for a weight's: those have dots.
  private mutating func inner(_ role: String) -> String {
    unique("\(current).\(role)".replacing(".", with: "_"))
  }
}

/// What operators call.
extension ExportGraph {
  /// Adds a node and returns the name of what it gives.
  package mutating func add(_ kind: String, _ inputs: [String], _ attributes: [String: Attribute] = [:]) -> String {
    let output = inner(kind)
    nodes.append(Node(kind: kind, inputs: inputs, output: output, attributes: attributes))
    return output
  }

  /// The same, reading the operator's own inputs.
  package mutating func add(_ kind: String, _ inputs: [Value], _ attributes: [String: Attribute] = [:]) -> String {
    add(kind, inputs.map(\.name), attributes)
  }

  package mutating func constant(_ values: [Int]) -> String {
    constant(Constant(name: inner("constant"), shape: [values.count], values: .integers(values)))
  }
  package mutating func constant(_ value: Float) -> String { constant([value], shape: []) }
  package mutating func constant(_ values: [Float], shape: [Int]) -> String {
    constant(Constant(name: inner("constant"), shape: shape, values: .floats(values)))
  }
  private mutating func constant(_ constant: Constant) -> String {
    constants.append(constant)
    return constant.name
  }

  /// The value of each sample under another shape.
  package mutating func reshape(_ name: String, to shape: SampleShape) -> String {
    add("Reshape", [name, constant([-1] + shape.extents)])
  }

  /// A tensor repeated for every sample of the batch.
  package mutating func repeated(_ name: String, as shape: SampleShape) -> String {
    let count = batch ?? add("Shape", [input], ["start": .integer(0), "end": .integer(1)])
    batch = count
    let extents = add("Concat", [count, constant(shape.extents)], ["axis": .integer(0)])
    return add("Expand", [name, extents])
  }
}
