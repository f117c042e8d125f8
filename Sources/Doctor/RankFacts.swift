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
  /// What computes in bfloat16, "AVX512_BF16" say; nil where nothing does.
  package var bfloat16: String? = "AVX512_BF16"
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
    facts.bfloat16 = KernelLibrary.bfloat16Instructions
    return facts
  }
}
