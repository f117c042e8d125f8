import ArgumentParser
import Files
import MPI
import Studies
import Supervision

struct SweepCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sweep",
    abstract: "Make a study: settings times seeds, and compare them.",
    discussion: """
      docs/STUDIES.md says how to write a sweep file, and what the tables mean.
      Under mpirun the ranks are cut into groups of ranks_per_run. Each takes the next run.
      The same command goes on with a study that was stopped or killed.

        mpirun -n 2 icp sweep configs/studies/quick.yaml --directory studies/quick

      Exit status:
         0  every run is done
        85  stopped on request
        else that of the first run that failed, or as for train
      """)

  @Argument(help: ArgumentHelp("A YAML file.", valueName: "sweep"))
  var sweep: String

  @Option(help: ArgumentHelp("Where runs and tables go; default studies/NAME.", valueName: "dir"))
  var directory: String?

  @Option(
    name: .customLong("set"), parsing: .singleValue,
    help: ArgumentHelp("Overrides one key in all runs; the value is YAML. May be repeated.", valueName: "key=value"))
  var overrides: [String] = []

  @Flag(help: "Print the runs, and stop.")
  var dryRun = false

  @Flag(help: "Try runs again that failed at an earlier start.")
  var retryFailed = false

  @Flag(help: "Remove runs that were made with another configuration, and make them again; else they are refused.")
  var redo = false

  func run() throws {
    StopRequests.listen()
    try Ranks.run { communicator in
      let loaded = try communicator.collectively { try Sweep.load(path: sweep, overrides: overrides) }
      let folder = directory ?? Self.defaultDirectory(sweep)
      try communicator.agree(on: "the command line", "\(dryRun) \(retryFailed) \(redo) \(folder)")
      try communicator.agree(on: "the sweep", loaded.identity)
      guard !dryRun else {
        let text = try communicator.collectively {
          try communicator.rank == 0 ? loaded.description(directory: folder) : ""
        }
        return try StandardOutput.print(text, from: communicator)
      }
      try SweepSession(
        loaded, directory: folder, redoing: redo, retrying: retryFailed, communicator: communicator
      ).run()
    }
  }

  private static func defaultDirectory(_ path: String) -> String {
    let file = path.split(separator: "/").last.map(String.init) ?? path
    return "studies/" + (file.hasSuffix(".yaml") ? String(file.dropLast(5)) : file)
  }
}
