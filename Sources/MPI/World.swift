import CMPI
import Foundation

/// A launch that does not make the ranks that were asked for.
package struct LaunchError: Error, CustomStringConvertible {
  package let description: String
}

/// MPI's life in this process: from MPI_Init to MPI_Finalize.
package enum World {
  /// Runs `body` with all ranks of the job; alone, without mpirun, as one rank. MPI is finalised when it returns or throws:
  /// by then no other rank may be waiting for this one (`abort` is for that case).
  /// Throws: LaunchError where a launcher started several processes that do not know of each other.
  package static func run<Result>(_ body: (Communicator) throws -> Result) throws -> Result {
    if !isUnderMpirun {
      // A lone process needs no daemon, no remote shell and no session with a server.
      setenv("OMPI_MCA_ess_singleton_isolated", "1", 0)
    }
    var provided: Int32 = 0
    try check("MPI_Init_thread", MPI_Init_thread(nil, nil, Int32(MPI_THREAD_FUNNELED), &provided))
    let communicator: Communicator
    do {
      try check("MPI_Comm_set_errhandler", MPI_Comm_set_errhandler(cmpi_world(), cmpi_errors_return()))
      communicator = try Communicator(cmpi_world())
      try refuseStrangers(ranks: communicator.size)
    } catch {
      MPI_Finalize()
      throw error
    }
    defer { MPI_Finalize() }
    return try body(communicator)
  }

  /// Ends every rank of the job with this exit code, 1...125: mpirun would report success for 256.
  package static func abort(_ code: Int32) -> Never {
    let code = (1...125).contains(code) ? code : 70
    var (started, ended): (Int32, Int32) = (0, 0)
    if MPI_Initialized(&started) == MPI_SUCCESS, started != 0, MPI_Finalized(&ended) == MPI_SUCCESS, ended == 0 {
      MPI_Abort(cmpi_world(), code)
    }
    exit(code)
  }

  /// "Open MPI 4.1.4"; can be asked before MPI is initialised.
  package static var libraryVersion: String {
    var text = [CChar](repeating: 0, count: Int(MPI_MAX_LIBRARY_VERSION_STRING) + 1)
    var length: Int32 = 0
    guard MPI_Get_library_version(&text, &length) == MPI_SUCCESS else { return "MPI" }
    let full = String(decoding: text.prefix(Int(length)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    // "Open MPI v4.1.4, package: Debian OpenMPI, ..."
    return full.prefix { $0 != "," }.replacingOccurrences(of: " v", with: " ")
  }

  private static var isUnderMpirun: Bool { number("OMPI_COMM_WORLD_SIZE") != nil || number("PMIX_RANK") != nil }

  private static func number(_ variable: String) -> Int? {
    ProcessInfo.processInfo.environment[variable].flatMap { Int($0) }
  }

  /// N processes of size 1 each would train N times the same run and write over each other.
  private static func refuseStrangers(ranks: Int) throws(LaunchError) {
    guard ranks == 1 else { return }
    let launchers = [
      ("SLURM_STEP_NUM_TASKS", "srun", "use srun --mpi=pmix, or mpirun inside the allocation"),
      ("OMPI_COMM_WORLD_SIZE", "mpirun", "it belongs to another Open MPI than icp was built with"),
      ("PMI_SIZE", "the launcher", "it is not Open MPI's; use Open MPI's mpirun"),
    ]
    for (variable, launcher, advice) in launchers {
      if let tasks = number(variable), tasks > 1 {
        throw LaunchError(
          description: "\(launcher) started \(tasks) processes, but each is alone (1 rank): \(advice)")
      }
    }
  }
}
