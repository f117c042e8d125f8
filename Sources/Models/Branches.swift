import Graph
import Operators

extension Network {
  /// The network with a classifier at each of `nodes`, which takes part in training alone: branch1, branch2, ... Each
  /// is the mean over positions, a dense ReLU layer as wide as the features that the network's own logits are read
  /// from, and a dense layer to logits. Their parameters come after the network's, whose first values they do not
  /// change.
  package func branched(at nodes: [Int]) -> Network {
    var network = self
    for (index, node) in nodes.enumerated() {
      do {
        try network.addBranch("branch\(index + 1)", at: node)
      } catch {
        preconditionFailure("\(error)")
      }
    }
    return network
  }

  private mutating func addBranch(_ name: String, at node: Int) throws(GraphError) {
    let width = nodes[features].shape.count
    let isMap = nodes[node].shape.rank > 1
    let pool = try append(isMap ? GlobalAveragePool() : Identity(), named: "\(name).pool", reading: [node])
    let layer = try append(Dense("\(name).hidden", outputs: width), named: "\(name).hidden", reading: pool)
    let hidden = try append(ReLU(), named: "\(name).relu", reading: layer)
    let logits = try append(Dense("\(name).fc", outputs: classes), named: "\(name).fc", reading: hidden)
    branches.append(Branch(pool: pool, hidden: hidden, logits: logits))
  }

  /// What a training network taps for the branches' losses: of each branch the hidden layer, then the logits.
  package var branchTaps: [Int] { branches.flatMap { [$0.hidden, $0.logits] } }

  /// Whether a parameter of this name belongs to a branch of some network.
  package static func isBranchParameter(_ name: String) -> Bool {
    name.wholeMatch(of: /branch[0-9]+\.(hidden|fc)\.(weight|bias)/) != nil
  }
}
