/// The processes were started in a way that cannot give one job: the user has to start them otherwise.
package struct LaunchError: Error, CustomStringConvertible {
  package let description: String

  package init(_ description: String) { self.description = description }
}

/// How many ranks a launcher meant to start, read from the environment it leaves to its children.
///
/// A launcher that speaks another dialect than the MPI library linked here starts N processes which each believe to be
/// alone: N trainings would write over each other, at one N-th of the batch nobody asked for.
struct Launcher: Equatable {
  let name: String
  let ranks: Int
  let remedy: String

  /// The innermost launcher first: `mpirun` inside a Slurm step leaves Slurm's variables too.
  private static let known: [(variable: String, name: String, remedy: String)] = [
    (
      "OMPI_COMM_WORLD_SIZE", "mpirun of another Open MPI",
      "use the mpirun of the Open MPI that icp was built with (icp --version names it)"
    ),
    (
      "PMI_SIZE", "a launcher of MPICH's family (Hydra, Intel MPI, or srun --mpi=pmi2)",
      "use Open MPI's mpirun, as launch/train does"
    ),
    (
      "SLURM_STEP_NUM_TASKS", "srun without Open MPI's PMIx",
      "add --mpi=pmix to srun, or start mpirun from the batch script"
    ),
  ]

  init?(environment: [String: String]) {
    for (variable, name, remedy) in Self.known {
      guard let ranks = environment[variable].flatMap({ Int($0) }) else { continue }
      (self.name, self.ranks, self.remedy) = (name, ranks, remedy)
      return
    }
    return nil
  }

  /// Throws where `size` 1 is not what the launcher meant.
  static func check(size: Int, environment: [String: String]) throws(LaunchError) {
    guard size == 1, let launcher = Launcher(environment: environment), launcher.ranks > 1 else { return }
    throw LaunchError(
      "\(launcher.ranks) processes were started by \(launcher.name), but each is a job of its own with one rank: "
        + launcher.remedy)
  }
}
