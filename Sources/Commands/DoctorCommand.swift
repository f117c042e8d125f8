import ArgumentParser
import Configuration
import Doctor
import Files
import Foundation
import MPI
import Runtime

struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Look at launch and hosts before a long run.",
    discussion: """
      Start it as the run will be started, by the same mpirun or srun, with as many ranks.
      It takes the arguments of icp train, and prints a line a finding:
        ok
        note       worth knowing
        warning    the run would be slower, or in danger
        error      the run would end
      Warnings and errors say what to set or do.

      It looks at:
        the MPI library, its launcher and mpirun
        the program, on all ranks
        ranks against cores and threads, and where they are bound
        the networks that hosts share
        /dev/shm, TMPDIR, ulimit, memory, clocks
        whether ranks may read each other's memory (CMA), by trying
        the configuration and its data, where one is given
        the run directory, by writing 16 MiB there, which it removes

      icp train looks at the quick ones at every start, and prints only warnings.

      Exit status, of the first error:
         0  none, warnings or not
        64  the launch or the configuration is wrong
        65  data bad or missing
        74  the run directory cannot be written
        76  ranks have different programs

        icp doctor
        mpirun -n 8 icp doctor CONFIG --set data.path=DIR --run-dir RUN
      """)

  @Argument(help: ArgumentHelp("A YAML file: what it needs is checked too.", valueName: "config"))
  var config: String?

  @OptionGroup var overriding: OverrideArguments

  @Option(help: ArgumentHelp("Where the run's files will go.", valueName: "dir"))
  var runDir = "runs"

  /// Of `icp train`, in whose place this command may stand.
  @Option(help: .hidden) var resume: String?
  @Flag(help: .hidden) var dryRun = false
  @Option(help: .hidden) var trace: TracedSteps?
  @Option(help: .hidden) var fault: String?

  @Flag(
    help:
      "One JSON object: exit_status, and findings, each with level, subject, text and where there are any remedy and exit_status."
  )
  var json = false

  func validate() throws {
    guard config != nil || overriding.all.isEmpty else { throw ValidationError("--set needs a configuration") }
  }

  func run() throws {
    do {
      try Ranks.run { communicator in
        let configuration = config.map { path in
          Result { try RunConfiguration.load(path: path, overrides: overriding.all) }
        }
        let report = try Preflight.examine(
          configuration: configuration, runDirectory: runDir, communicator: communicator)
        try StandardOutput.print(json ? report.json : report.text, from: communicator)
        try report.check()
      }
    } catch let error as LaunchError {
      // Each process is alone and would print the same.
      let report = PreflightReport([.error("launch", "\(error)", exitStatus: ExitCode.usage)])
      try StandardOutput.print(json ? report.json : report.text)
      throw error
    }
  }
}
