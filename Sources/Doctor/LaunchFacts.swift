import Reduction
import Foundation
import Kernels
import MPI
import Runtime

/// How this rank came to be.
package struct LaunchFacts: Codable, Sendable {
  /// Of the library; Open MPI 4's where nobody knows it.
  package var family: MPIFamily { MPIFamily.of(library: library) ?? .openMPI4 }
  /// "Open MPI v4.1.4"
  package var library = "Open MPI v4.1.4"
  package var threadLevel = "multiple"
  /// Nil for a process that no launcher started.
  package var launcher: String?
  package var processManagement: String?
  /// Ranks that Slurm's allocation has room for, seen by a process that is alone.
  package var allocatedTasks: Int?
  package var program = ""
  /// The processor's name.
  package var processor = ""

  package init() {}

  static func read(_ environment: [String: String]) throws -> LaunchFacts {
    var facts = LaunchFacts()
    facts.library = World.libraryVersion
    facts.threadLevel = try World.threadLevel()
    facts.launcher = launcher(environment)
    facts.processManagement = environment["PMIX_RANK"].map { _ in
      "PMIx" + (environment["PMIX_VERSION"].map { " \($0)" } ?? "")
    }
    facts.allocatedTasks = environment["SLURM_NTASKS"].flatMap { Int($0) }
    facts.program = Platform.description
    facts.processor = processor
    return facts
  }

  /// Those that started these ranks, the innermost first: mpirun inside a Slurm step leaves Slurm's variables too.
  static func launcher(_ environment: [String: String]) -> String? {
    if environment[MPIFamily.openMPI4.sizeVariable] != nil { return "mpirun" }
    if environment[MPIFamily.mpich.sizeVariable] != nil {
      return environment["SLURM_STEP_ID"] == nil ? "mpiexec" : "srun with PMI"
    }
    if environment["PMIX_RANK"] != nil, environment["SLURM_STEP_ID"] != nil { return "srun --mpi=pmix" }
    if environment["PMIX_RANK"] != nil { return "a PMIx launcher" }
    if environment["SLURM_STEP_ID"] != nil { return "srun" }
    return nil
  }

  private static var processor: String {
    let text = ControlGroup.text("/proc/cpuinfo") ?? ""
    let line = text.split(separator: "\n").first { $0.hasPrefix("model name") || $0.hasPrefix("CPU part") }
    return line?.split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) } ?? ""
  }

  /// What the mpirun of PATH says of itself; empty where there is none.
  static func readMpirun() -> String {
    guard let pipe = popen("timeout 5 mpirun --version 2>/dev/null </dev/null", "r") else { return "" }
    defer { pclose(pipe) }
    var bytes = [UInt8](repeating: 0, count: 256)
    let count = fread(&bytes, 1, bytes.count, pipe)
    return String(decoding: bytes.prefix(count), as: UTF8.self).split(separator: "\n").first.map(String.init) ?? ""
  }
}
