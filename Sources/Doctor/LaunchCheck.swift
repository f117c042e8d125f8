import Reduction
import Foundation
import Kernels
import MPI
import Runtime

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
