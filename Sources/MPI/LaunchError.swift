import Glibc
import Runtime

/// The processes were started in a way that cannot give one job: the user has to start them otherwise.
package struct LaunchError: ExitCoded, CustomStringConvertible {
  package let description: String
  package let exitCode = ExitCode.usage
  /// Whether another of the processes that were started so says it: it is the same for all.
  package let isToldByAnother: Bool

  package init(_ description: String, isToldByAnother: Bool = false) {
    self.description = description
    self.isToldByAnother = isToldByAnother
  }
}

/// How many ranks a launcher meant to start, read from the environment it leaves to its children.
///
/// A launcher that speaks another dialect than the MPI library linked here starts N processes which each believe to be
/// alone: N trainings would write over each other, at one N-th of the batch nobody asked for.
struct Launcher: Equatable {
  let name: String
  let ranks: Int
  let remedy: String
  /// Of this process among those started.
  let number: Int

  /// The innermost launcher first: `mpirun` inside a Slurm step leaves Slurm's variables too.
  private static let known: [(variable: String, number: String, name: String, remedy: String)] = {
    let own = MPIFamily.own
    let isOpenMPI = own.sizeVariable == MPIFamily.openMPI4.sizeVariable
    let other = isOpenMPI ? "use Open MPI's mpirun, as launch/train does" : "use \(own.name)'s mpiexec"
    let same = "of the \(isOpenMPI ? "Open MPI" : own.name) that icp was built with (icp --version names it)"
    return [
      (
        MPIFamily.openMPI4.sizeVariable, MPIFamily.openMPI4.rankVariable,
        isOpenMPI ? "mpirun of another Open MPI" : "Open MPI's mpirun",
        isOpenMPI ? "use the mpirun \(same)" : "use the mpiexec \(same)"
      ),
      (
        MPIFamily.mpich.sizeVariable, MPIFamily.mpich.rankVariable,
        "a launcher of MPICH's family (Hydra, Intel MPI, or srun --mpi=pmi2)",
        isOpenMPI ? other : "use the mpiexec \(same)"
      ),
      (
        "SLURM_STEP_NUM_TASKS", "SLURM_PROCID", isOpenMPI ? "srun without Open MPI's PMIx" : "srun without PMI",
        isOpenMPI
          ? "add --mpi=pmix to srun, or start mpirun from the batch script"
          : "add --mpi=pmi2 or --mpi=cray_shasta to srun, or start mpiexec from the batch script"
      ),
    ]
  }()

  init?(environment: [String: String]) {
    for (variable, number, name, remedy) in Self.known {
      guard let ranks = environment[variable].flatMap({ Int($0) }) else { continue }
      self.name = name
      self.ranks = ranks
      self.remedy = remedy
      self.number = environment[number].flatMap { Int($0) } ?? 0
      return
    }
    return nil
  }

  /// Throws where `size` 1 is not what the launcher meant.
  static func check(size: Int, environment: [String: String]) throws(LaunchError) {
    guard size == 1, let launcher = Launcher(environment: environment), launcher.ranks > 1 else { return }
    throw LaunchError(
      "\(launcher.ranks) processes were started by \(launcher.name), but each is a job of its own with one rank: "
        + launcher.remedy, isToldByAnother: launcher.number > 0)
  }

  /// To be called before MPI starts, and of Open MPI alone (others have ways of their own, such as Cray's): 4.1 ends a
  /// process that srun started without PMIx, with status 1 and twenty lines about its own build. The only task of a
  /// step, as under `srun --pty bash`, can be a job of its own once Open MPI does not see that it is in a step, which
  /// it takes from SLURM_NODELIST.
  static func prepare(environment: [String: String]) throws(LaunchError) {
    guard MPIFamily.own.sizeVariable == MPIFamily.openMPI4.sizeVariable else { return }
    let isUnderSrun = environment["SLURM_STEP_ID"] != nil
    guard isUnderSrun, !["PMIX_NAMESPACE", "PMI_FD", "PMI_SIZE"].contains(where: { environment[$0] != nil }) else {
      return
    }
    try check(size: 1, environment: environment)
    unsetenv("SLURM_NODELIST")
  }
}
