/// What differs between MPI libraries and their launchers, for checks and their advice: one value a family. What the
/// scripts need to know of them is in launch/mpi/.
package struct MPIFamily: Sendable, Equatable {
  /// As in "Open MPI 5".
  package var name: String
  /// The program that starts the ranks.
  package var launcher: String
  /// Of the environment that its launcher leaves to a rank.
  package var sizeVariable: String, rankVariable: String
  /// The ranks of the same host: this one's number among them, and how many they are. Nil where the launcher does not
  /// say.
  package var localRankVariable: String, localSizeVariable: String?
  /// Where a rank finds the address of its launcher, the first that is set; none where it does not say.
  package var launcherAddresses: [String]
  /// Options of the launcher that leave ranks where the system puts them, that bind each to a core, and that bind it to
  /// so many, a number after it.
  package var freeOption: String, coreOption: String, coresOption: String
  /// Variables that name the networks to use, for messages and for the launcher.
  package var networkVariables: [String]
  /// The parameters (`MPI_T_cvar`) that say whether a waiting rank lets others have the core, where shared memory lies,
  /// and how one rank reads another's memory. Nil where the family has none.
  package var yieldParameter: String?, backingParameter: String?, singleCopyParameter: String?
  /// What to set so that waiting ranks yield, for another folder for shared memory, and against reading each other's
  /// memory.
  package var yieldSetting: String?, backingVariable: String?, noSingleCopySetting: String?

  package static let openMPI4 = MPIFamily(
    name: "Open MPI 4", launcher: "mpirun", sizeVariable: "OMPI_COMM_WORLD_SIZE", rankVariable: "OMPI_COMM_WORLD_RANK",
    localRankVariable: "OMPI_COMM_WORLD_LOCAL_RANK", localSizeVariable: "OMPI_COMM_WORLD_LOCAL_SIZE",
    launcherAddresses: ["OMPI_MCA_orte_hnp_uri"],
    freeOption: "--bind-to none", coreOption: "--map-by core --bind-to core", coresOption: "--map-by slot:PE=",
    networkVariables: ["OMPI_MCA_btl_tcp_if_include", "OMPI_MCA_oob_tcp_if_include"],
    yieldParameter: "mpi_yield_when_idle", backingParameter: "btl_vader_backing_directory",
    singleCopyParameter: "btl_vader_single_copy_mechanism", yieldSetting: "OMPI_MCA_mpi_yield_when_idle=1",
    backingVariable: "OMPI_MCA_btl_vader_backing_directory",
    noSingleCopySetting: "OMPI_MCA_btl_vader_single_copy_mechanism=none")

  package static let openMPI5: MPIFamily = {
    var family = openMPI4
    family.name = "Open MPI 5"
    family.launcherAddresses = ["PMIX_SERVER_URI41", "PMIX_SERVER_URI4", "PMIX_SERVER_URI3", "PMIX_SERVER_URI2"]
    family.networkVariables = ["OMPI_MCA_btl_tcp_if_include", "PRTE_MCA_prte_if_include"]
    family.backingParameter = "btl_sm_backing_directory"
    family.backingVariable = "OMPI_MCA_btl_sm_backing_directory"
    family.singleCopyParameter = "smsc"
    family.noSingleCopySetting = "OMPI_MCA_smsc=^cma"
    return family
  }()

  package static let mpich = MPIFamily(
    name: "MPICH", launcher: "mpiexec", sizeVariable: "PMI_SIZE", rankVariable: "PMI_RANK",
    localRankVariable: "MPI_LOCALRANKID", localSizeVariable: "MPI_LOCALNRANKS", launcherAddresses: [],
    freeOption: "-bind-to none", coreOption: "-bind-to core", coresOption: "-bind-to core:",
    networkVariables: ["HYDRA_IFACE", "FI_TCP_IFACE"],
    yieldParameter: nil, backingParameter: nil, singleCopyParameter: nil,
    yieldSetting: nil, backingVariable: nil, noSingleCopySetting: nil)

  package static let intelMPI: MPIFamily = {
    var family = mpich
    family.name = "Intel MPI"
    family.freeOption = "-genv I_MPI_PIN=0"
    family.coreOption = "-genv I_MPI_PIN_DOMAIN=core"
    family.coresOption = "-genv I_MPI_PIN_DOMAIN="
    family.networkVariables = ["I_MPI_HYDRA_IFACE", "FI_TCP_IFACE"]
    family.yieldSetting = "I_MPI_THREAD_YIELD=3"
    family.backingVariable = "I_MPI_SHM_FILE_PREFIX_4K"
    return family
  }()

  package static let all = [openMPI4, openMPI5, mpich, intelMPI]

  /// That of a library by its own name, as in "Open MPI v5.0.7"; nil for one that nobody has tried.
  package static func of(library: String) -> MPIFamily? {
    if library.hasPrefix("Open MPI") {
      let major = library.drop { !$0.isNumber }.prefix { $0.isNumber }
      return Int(major).map { $0 >= 5 ? openMPI5 : openMPI4 } ?? openMPI4
    }
    if library.hasPrefix("Intel") { return intelMPI }
    return library.hasPrefix("MPICH") ? mpich : nil
  }

  /// That of the library this program runs with.
  package static let own = of(library: World.libraryVersion) ?? openMPI4

  /// The value of the first family's variable that is set.
  package static func value(_ variable: (MPIFamily) -> String?, in environment: [String: String]) -> String? {
    all.compactMap { variable($0).flatMap { environment[$0] } }.first
  }
}
