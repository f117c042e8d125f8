import Foundation
import Kernels
import MPI
import Runtime

/// What one rank sees of itself and its host: values that the checks judge. The defaults are those of a healthy rank,
/// alone.
package struct RankFacts: Codable, Sendable {
  package var rank = 0
  package var host = "localhost"
  package var process: Int32 = 0
  /// Seconds since 1970, taken at the same moment on every rank.
  package var clock = 0.0
  package var launch = LaunchFacts()
  package var cores = CoreFacts()
  package var network = NetworkFacts()
  package var space = SpaceFacts()
  package var limits = LimitFacts()
  package var memory = MemoryFacts()
  package var plan: PlanFacts?
  var singleCopyTarget: SingleCopyFacts.Target?
  /// What takes longer to find out, and is left out at a run's start.
  package var probes: ProbeFacts?

  package init() {}

  /// Those of this process; milliseconds. All but `plan` and `probes`.
  static func read(_ communicator: Communicator) throws -> RankFacts {
    var facts = RankFacts()
    facts.rank = communicator.rank
    facts.host = Platform.host
    facts.process = getpid()
    let environment = ProcessInfo.processInfo.environment
    let parameters = try World.Parameters()
    let group = ControlGroup()
    facts.launch = try LaunchFacts.read(environment)
    facts.cores = CoreFacts.read(environment, group, parameters)
    facts.network = NetworkFacts.read(environment, parameters)
    facts.space = SpaceFacts.read(environment, parameters)
    facts.limits = LimitFacts.read(group)
    facts.memory = MemoryFacts.read()
    return facts
  }
}

/// What `icp doctor` finds out by trying.
package struct ProbeFacts: Codable, Sendable {
  package var singleCopy: SingleCopyFacts?
  /// Rank 0 alone.
  package var runDirectory: RunDirectoryFacts?
  /// Whether this rank sees the file that rank 0 put into the run directory; nil where that could not be tried.
  package var seesRunDirectory: Bool?
  /// What `mpirun --version` says, empty where there is none. Rank 0 alone.
  package var mpirun: String?
  /// Of the executable file.
  package var checksum: UInt32?

  package init() {}
}

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
