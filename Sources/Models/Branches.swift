import Graph
import Operators

extension Network {
  /// The network with a classifier at each of `nodes`, which takes part in training alone: branch1, branch2, ... Each is the
  /// mean over positions, a dense ReLU layer as wide as the features that the network's own logits are read from, and a
  /// dense layer to logits. Their parameters come behind the network's, whose first values they do not change.
  package func branched(at nodes: [Int]) throws(GraphError) -> Network {
    var network = self
    let width = self.nodes[features].shape.count
    for (index, node) in nodes.enumerated() {
      let name = "branch\(index + 1)"
      let pool = try network.append(
        self.nodes[node].shape.rank > 1 ? GlobalAveragePool() : Identity(), named: "\(name).pool", reading: [node])
      let layer = try network.append(Dense("\(name).hidden", outputs: width), named: "\(name).hidden", reading: pool)
      let hidden = try network.append(ReLU(), named: "\(name).relu", reading: layer)
      let logits = try network.append(Dense("\(name).fc", outputs: classes), named: "\(name).fc", reading: hidden)
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
