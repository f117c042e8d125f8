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

/// The MPI library, the launcher, and whether all ranks run the same program.
package enum LaunchCheck {
  package static func findings(_ job: JobFacts) -> [Finding] {
    [library(job)] + mpirun(job) + [launch(job), program(job)] + processors(job)
  }

  private static func library(_ job: JobFacts) -> Finding {
    let launch = job.first.launch
    guard MPIFamily.of(library: launch.library) != nil else {
      return .warning(
        "MPI", "\(launch.library), which has not been tried",
        remedy: "build with Open MPI 4.1 or newer, MPICH 5 or Intel MPI 2021.18")
    }
    return .ok("MPI", "\(launch.library), threads: \(launch.threadLevel)")
  }

  /// Another installation's mpirun starts N processes which each believe to be alone.
  private static func mpirun(_ job: JobFacts) -> [Finding] {
    guard let text = job.first.probes?.mpirun else { return [] }
    let library = job.first.launch.library
    if text.isEmpty {
      guard job.first.launch.launcher == nil else { return [] }
      return [
        .warning("mpirun", "none on PATH", remedy: "put the bin folder of \(library) on PATH to start more ranks")
      ]
    }
    // MPICH's launcher says its version on another line, and Intel's has its own way to count.
    let isOfFamily =
      library.hasPrefix("MPICH") && text.contains("HYDRA") || library.hasPrefix("Intel") && text.contains("Intel")
    if isOfFamily { return [.ok("mpirun", "on PATH, of the library's family")] }
    if text.contains("Open MPI"), let found = version(text), found == version(library) {
      return [.ok("mpirun", "on PATH, of the library's version")]
    }
    return [
      .warning(
        "mpirun", "the one on PATH says '\(text)', and icp is linked with \(library)",
        remedy: "put the bin folder of \(library) first on PATH")
    ]
  }

  static func version(_ text: String) -> Substring? {
    text.split { !($0.isLetter || $0.isNumber || $0 == ".") }.map { $0.drop { $0 == "v" } }
      .first { $0.first?.isNumber == true && $0.contains(".") }
  }

  private static func launch(_ job: JobFacts) -> Finding {
    let launch = job.first.launch
    guard let launcher = launch.launcher, launcher != "srun" else {
      if let tasks = launch.allocatedTasks, tasks > 1 {
        return .note(
          "launch", "one rank, in an allocation of \(tasks) tasks: srun --mpi=pmix or mpirun would start them all")
      }
      return .ok("launch", "one rank, started alone: start icp doctor as the run will be, to have all ranks looked at")
    }
    let manager = launch.processManagement.map { ", \($0)" } ?? ""
    return .ok(
      "launch",
      "\(counted(job.ranks.count, "rank")) on \(counted(job.hosts.count, "host")) by \(launcher)\(manager)")
  }

  private static func program(_ job: JobFacts) -> Finding {
    let odd = job.ranks.filter {
      $0.launch.program != job.first.launch.program || $0.probes?.checksum != job.first.probes?.checksum
    }
    guard let other = odd.first else { return .ok("program", job.first.launch.program) }
    let difference =
      other.launch.program == job.first.launch.program
      ? "another file of the same version" : "'\(other.launch.program)', rank 0's is '\(job.first.launch.program)'"
    return .error(
      "program", "rank \(listed(odd.map { "\($0.rank)" })) (host \(other.host)): \(difference)",
      remedy: "start the same build of icp, with the same libraries and instruction set, on every host",
      exitStatus: ExitCode.ranksDisagree)
  }

  private static func processors(_ job: JobFacts) -> [Finding] {
    let names = Set(job.hosts.map(\.first.launch.processor))
    guard names.count > 1 else { return [] }
    return [
      .note(
        "processors", "of \(names.count) kinds (\(listed(names.sorted()))): the slowest sets the pace of every step")
    ]
  }
}
