import Foundation
import MPI
import Runtime

/// The facts of all ranks.
package struct JobFacts: Sendable {
  package struct Host: Sendable {
    package let name: String
    package let ranks: [RankFacts]
    /// What is the same for all ranks of a host, its first rank says.
    package var first: RankFacts { ranks[0] }
  }

  package let ranks: [RankFacts]
  /// In the order of their first ranks.
  package let hosts: [Host]

  /// - Precondition: one rank at least.
  package init(_ ranks: [RankFacts]) {
    precondition(!ranks.isEmpty, "a job has a rank")
    self.ranks = ranks
    var names: [String] = []
    for rank in ranks where !names.contains(rank.host) { names.append(rank.host) }
    let byHost = Dictionary(grouping: ranks, by: \.host)
    hosts = names.map { Host(name: $0, ranks: byHost[$0]!) }
  }

  var first: RankFacts { ranks[0] }
}
