import Reduction
import ArgumentParser
import Runtime

/// The command line; `icp` is its `main`.
package struct ICP: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "icp",
    abstract: "Train networks by iterative constructive perturbations (arXiv 2505.14751).",
    discussion: """
      Run it alone, or under mpirun for more ranks.
      The results have the same bits at any number of ranks.

        icp train configs/quickstart.yaml
        icp report runs/quickstart-20261124-134051
        mpirun -n 4 icp train configs/quickstart.yaml
        mpirun -n 2 icp sweep configs/studies/quick.yaml

      Exit status:
         0  done
        64  bad command line or configuration
        65  bad or missing data, weights or checkpoint
        70  internal error
        74  saving failed
        75  temporary: start again
        76  ranks disagree
        77  a loss or gradient was not finite
        85  stopped on request, and saved
      """,
    version: Platform.description,
    subcommands: [
      DataCommand.self, FindRateCommand.self, TrainCommand.self, ReportCommand.self, EvaluateCommand.self,
      PredictCommand.self, ExportCommand.self, CompareCommand.self, SweepCommand.self, MetricsCommand.self,
      RobustnessCommand.self, EpisodesCommand.self, PerturbCommand.self, InspectCommand.self, DoctorCommand.self,
      BenchCommand.self, ScaleCommand.self,
    ])

  package init() {}

  /// Every command ends here: parse errors are ArgumentParser's (64), the rest goes by the table of exit codes.
  /// `arguments`: nil for those of the process.
  package static func main(arguments: [String]?) {
    do {
      var command = try parseAsRoot(arguments)
      try command.run()
    } catch {
      end(with: error)
    }
  }

  /// Ends the process as a command that failed does.
  package static func end(with error: any Error) -> Never { ExitStatus.end(with: error) }
}
