import Kernels

extension Architecture {
  /// A classifier on the features of a tap, which takes part in training alone: their mean over positions, a dense ReLU
  /// layer as wide as the features that the network's own logits are read from, and a dense layer to logits.
  package struct Branch: Sendable {
    package var pool, hidden, logits: Int
  }

  /// The network with a branch at each of `nodes`: branch1, branch2, ... Their parameters come behind the network's, whose
  /// first values they do not change.
  package func branched(at nodes: [Int]) -> Architecture {
    var network = self
    let width = self.nodes[features].shape.sampleCount
    for (index, node) in nodes.enumerated() {
      let name = "branch\(index + 1)"
      let pool = network.append(
        .pool, reading: node, shape: Shape(batch: 1, channels: self.nodes[node].shape.channels))
      let hidden = network.append(
        .linear(name: "\(name).hidden", relu: true), reading: pool, shape: Shape(batch: 1, channels: width))
      let logits = network.append(
        .linear(name: "\(name).fc", relu: false), reading: hidden, shape: Shape(batch: 1, channels: classes))
      network.branches.append(Branch(pool: pool, hidden: hidden, logits: logits))
    }
    return network
  }

  /// What a training network taps for the branches' losses: of each branch the hidden layer, then the logits.
  package var branchTaps: [Int] { branches.flatMap { [$0.hidden, $0.logits] } }

  /// Whether a parameter of this name belongs to a branch of some network.
  package static func isBranchParameter(_ name: String) -> Bool {
    name.wholeMatch(of: /branch[0-9]+\.(hidden|fc)\.(weight|bias)/) != nil
  }
}
