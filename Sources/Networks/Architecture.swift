import Kernels
import Runtime

/// A network as data: nodes in the order they run, each naming the nodes it reads. Executors (`TrainingNetwork`,
/// `FrozenNetwork`) build their plans from it; nothing here computes.
package struct Architecture: Sendable {
  package enum Operation: Sendable {
    case input
    /// y = relu?(batchNorm(x * w), + addend)
    case convolution(Filter)
    /// Strided positions of x between zero channels.
    case padShortcut(stride: Int)
    /// Mean over positions.
    case pool
    /// Vectors in PyTorch's order (channels, height, width).
    case flatten
    /// y = relu?(x w^T + b)
    case linear(name: String, relu: Bool)
  }

  package struct Filter: Sendable {
    /// PyTorch's names of the convolution and of the BatchNorm behind it.
    package var name: String
    package var batchNorm: String
    package var kernel: Int
    package var stride: Int
    package var relu: Bool
    /// The node whose output is added before the ReLU: a block's shortcut.
    package var addend: Int?

    package var padding: Int { kernel / 2 }
  }

  package struct Node: Sendable {
    package var operation: Operation
    /// The node it reads; -1 for the input.
    package var input: Int
    /// Its output for a batch of one.
    package var shape: Shape
  }

  package private(set) var nodes: [Node]
  /// Names a user can tap, in the order of the network, with their nodes.
  package private(set) var taps: [(name: String, node: Int)] = []
  /// The taps of a run that names none: the stages of a ResNet, the hidden layers of an MLP.
  package private(set) var defaultTaps: [String] = []
  package let classes: Int
  /// Classifiers beside the network's own (`branched`); their nodes are the last ones.
  package internal(set) var branches: [Branch] = []

  package init(input: Shape, classes: Int) {
    nodes = [Node(operation: .input, input: -1, shape: input.withBatch(1))]
    self.classes = classes
  }

  package var input: Shape { nodes[0].shape }
  /// The node of the logits.
  package var output: Int { (branches.first?.pool ?? nodes.count) - 1 }
  /// The node that the logits are read from.
  package var features: Int { nodes[output].input }

  /// The network without its branches, the nodes in the same places.
  package var trunk: Architecture {
    var trunk = self
    trunk.nodes.removeSubrange((output + 1)...)
    trunk.branches = []
    return trunk
  }

  /// Appends a node that reads `input` and returns its index.
  package mutating func append(_ operation: Operation, reading input: Int, shape: Shape) -> Int {
    nodes.append(Node(operation: operation, input: input, shape: shape.withBatch(1)))
    return nodes.count - 1
  }

  package mutating func tap(_ node: Int, as name: String, byDefault: Bool) {
    taps.append((name, node))
    if byDefault { defaultTaps.append(name) }
  }

  /// The nodes of the named taps, in the order given.
  /// Throws: a name that is not a tap (the message lists those that are), or two names of one node; `key` says where.
  package func tappedNodes(
    _ names: [String]?, key: String = "distillation.taps"
  ) throws(ArchitectureError) -> [Int] {
    var found: [Int] = []
    for name in names ?? defaultTaps {
      guard let tap = taps.first(where: { $0.name == name }) else {
        let valid = taps.map(\.name).joined(separator: ", ")
        throw ArchitectureError("\(key): there is no tap '\(name)'; this model has: \(valid)")
      }
      guard !found.contains(tap.node) else {
        throw ArchitectureError("\(key): '\(name)' names a layer that another tap names already")
      }
      found.append(tap.node)
    }
    return found
  }

  /// Geometry of a convolution node for a batch.
  package func geometry(of node: Node, _ filter: Filter, batch: Int) -> ConvolutionGeometry {
    ConvolutionGeometry(
      input: nodes[node.input].shape.withBatch(batch), outputs: node.shape.channels, kernel: filter.kernel,
      stride: filter.stride, padding: filter.padding)
  }

  /// Multiplications and additions of one forward pass of one sample, dense layers and convolutions.
  package var operations: Int { nodes.indices.reduce(0) { $0 + operations(of: $1) } }

  package func operations(of index: Int) -> Int {
    let node = nodes[index]
    switch node.operation {
    case .convolution(let filter): return geometry(of: node, filter, batch: 1).operations
    case .linear: return 2 * nodes[node.input].shape.sampleCount * node.shape.sampleCount
    case .input, .padShortcut, .pool, .flatten: return 0
    }
  }
}

/// A network that the configuration asks for and cannot be had.
package struct ArchitectureError: ExitCoded, CustomStringConvertible {
  package let description: String
  package let exitCode = ExitCode.usage
  package init(_ description: String) { self.description = description }
}
