import CMPI
import Foundation

/// The life of MPI in this process: from `MPI_Init_thread` to `MPI_Finalize` or `MPI_Abort`.
///
/// One thread, the one that calls `run`, makes every MPI call (`MPI_THREAD_FUNNELED`).
package enum World {
  /// Starts MPI, hands the communicator of all ranks to `body`, and ends MPI after it.
  ///
  /// Works without `mpirun` too: the process is then the only rank. Where `body` throws, MPI is left running, because
  /// `MPI_Finalize` would wait for ranks that are blocked in a collective: the caller says what happened and then calls
  /// `abort`, which ends them all.
  ///
  /// Throws `LaunchError` where N processes were started but each is alone, `MPIError` where MPI fails.
  package static func run<R>(_ body: (Communicator) throws -> R) throws -> R {
    prepareEnvironment()
    try Launcher.prepare(environment: ProcessInfo.processInfo.environment)
    let funneled = Int32(MPI_THREAD_FUNNELED)
    var provided: Int32 = 0
    try check("MPI_Init_thread", MPI_Init_thread(nil, nil, funneled, &provided))
    try check("MPI_Comm_set_errhandler", MPI_Comm_set_errhandler(cmpi_world(), cmpi_errors_return()))
    guard provided >= funneled else {
      throw LaunchError(
        "this MPI library supports no threads beside it: install one that does (MPI_THREAD_FUNNELED)")
    }
    let world = try Communicator(cmpi_world())
    try Launcher.check(size: world.size, environment: ProcessInfo.processInfo.environment)
    let result = try body(world)
    try check("MPI_Finalize", MPI_Finalize())
    return result
  }

  /// Ends every rank of the job with `exitCode` as the job's exit status, from any state of MPI.
  ///
  /// A code outside 1...125 becomes 70 (internal error): `MPI_Abort(256)` makes mpirun report success, and shells use
  /// 126 and up themselves.
  package static func abort(_ exitCode: Int32) -> Never {
    let code = (1...125).contains(exitCode) ? exitCode : 70
    fflush(nil)
    if isRunning {
      var size: Int32 = 0
      if MPI_Comm_size(cmpi_world(), &size) == MPI_SUCCESS, size == 1 {
        // No peer can be waiting, so the job may end in order: MPI_Abort would print ten lines about itself.
        MPI_Finalize()
      } else {
        MPI_Abort(cmpi_world(), code)
      }
    }
    exit(code)
  }

  /// The MPI library's name and version, as in "Open MPI v4.1.4". May be asked for before `run`.
  package static var libraryVersion: String {
    let text = string(capacity: Int(MPI_MAX_LIBRARY_VERSION_STRING)) { MPI_Get_library_version($0, $1) }
    let first = text?.split(whereSeparator: { $0 == "," || $0.isNewline || $0 == "\0" }).first
    // MPICH: "MPICH Version:      5.0.2". Intel MPI: "Intel(R) MPI Library 2021.18 for Linux* OS".
    let words = (first ?? "unknown MPI").replacing("Version:", with: " ").replacing("(R) MPI Library", with: " MPI")
      .split(whereSeparator: \.isWhitespace)
    return words.prefix { $0 != "for" }.joined(separator: " ")
  }

  /// Whether MPI calls are allowed: after `MPI_Init_thread`, before `MPI_Finalize`.
  static var isRunning: Bool {
    var (initialized, finalized): (Int32, Int32) = (0, 0)
    return MPI_Initialized(&initialized) == MPI_SUCCESS && MPI_Finalized(&finalized) == MPI_SUCCESS
      && initialized != 0 && finalized == 0
  }

  /// Settings that Open MPI reads when it starts; a value the user has set stands. Without mpirun, it starts a daemon
  /// beside the process unless it is told that nobody will ever join; the daemon wants ssh.
  private static func prepareEnvironment() {
    setenv("OMPI_MCA_ess_singleton_isolated", "1", 0)
    // A process that no launcher started talks to itself alone: Open MPI 5 leaves 16 MiB in /dev/shm for the others,
    // and a look at every network (UCX, libfabric) doubles the 0.18 s of `icp train configs/quickstart.yaml --dry-run`.
    if MPIFamily.value(\.sizeVariable, in: ProcessInfo.processInfo.environment) == nil, getenv("PMIX_RANK") == nil {
      setenv("OMPI_MCA_btl", "self", 0)
      setenv("OMPI_MCA_pml", "ob1", 0)
    }
    // Open MPI 5 asks for a way from every network to every other, and prints two lines where a host has one alone.
    setenv("OMPI_MCA_reachable", "weighted", 0)
    setenv("OMPI_MCA_plm_rsh_agent", "ssh : rsh : true", 0)
    // Rabenseifner's algorithm for sums over more hosts than send each other segments. Left to itself Open MPI 4.1
    // reduces to one rank and broadcasts, where sum and term share a buffer: 891 ms instead of 352 for 8 MiB over two
    // hosts with two ranks each at 200 Mbit/s.
    setenv("OMPI_MCA_coll_libnbc_iallreduce_algorithm", "3", 0)
  }
}
