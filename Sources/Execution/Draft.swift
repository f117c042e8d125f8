import Graph
import Operators

/// A network while it is lowered: fusion rules replace chains of nodes by one. Nodes keep their numbers; what a rule
/// takes in is gone.
package struct Draft {
  package struct Node {
    package var name: String
    package var `operator`: any Operator
    package var inputs: [Int]
  }

  package private(set) var nodes: [Node?]
  let shapes: [SampleShape]
  package let freeze: Freeze
  /// Nodes whose outputs somebody looks at.
  package let kept: Set<Int>
  /// Batch normalisations whose statistics become part of weights.
  package var foldings: [Folding] = []

  init(_ network: Network, kept: Set<Int>) {
    nodes = network.nodes.map { Node(name: $0.name, operator: $0.operator, inputs: $0.inputs) }
    shapes = network.nodes.map(\.shape)
    freeze = network.freeze
    self.kept = kept
    prune()
  }

  /// Removes what leads to no kept node.
  private mutating func prune() {
    var needed = kept.union([0])
    for index in nodes.indices.reversed() where needed.contains(index) { needed.formUnion(nodes[index]!.inputs) }
    for index in nodes.indices where !needed.contains(index) { nodes[index] = nil }
  }

  package func readers(of node: Int) -> [Int] {
    nodes.indices.filter { nodes[$0]?.inputs.contains(node) ?? false }
  }

  /// The node that alone reads `node`, which nobody looks at; nil otherwise.
  package func onlyReader(of node: Int) -> Int? {
    let readers = readers(of: node)
    guard readers.count == 1, !kept.contains(node), nodes[readers[0]]!.inputs.filter({ $0 == node }).count == 1 else {
      return nil
    }
    return readers[0]
  }

  /// `node` does what it and `removed`, on which it alone depended, did.
  package mutating func replace(_ node: Int, by operator: any Operator, reading inputs: [Int], removing removed: [Int])
  {
    nodes[node]!.operator = `operator`
    nodes[node]!.inputs = inputs
    for index in removed { nodes[index] = nil }
  }

  /// `node`'s readers read its only input instead. What is kept stays.
  package mutating func bypass(_ node: Int) {
    guard !kept.contains(node) else {
      nodes[node]!.operator = Identity()
      return
    }
    let input = nodes[node]!.inputs[0]
    for reader in readers(of: node) {
      nodes[reader]!.inputs = nodes[reader]!.inputs.map { $0 == node ? input : $0 }
    }
    nodes[node] = nil
  }
}
