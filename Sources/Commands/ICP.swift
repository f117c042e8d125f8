import Reduction
import ArgumentParser
import Runtime

/// The command line; `icp` is its `main`.
package struct ICP: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "icp",
    abstract: "Train networks by self-distillation via iterative constructive perturbations (arXiv 2505.14751).",
    discussion: """
      Run it alone, or under mpirun for more ranks; the results have the same bits at any number of ranks.

        icp train configs/quickstart.yaml
        icp data configs/tiny100-resnet20-icp.yaml --pictures sheet.png
        mpirun -n 4 icp train configs/cifar10-resnet20-icp.yaml --set data.path=/data/cifar10
        mpirun -n 2 icp sweep configs/studies/quick.yaml

      Exit status: 0 done; 64 bad command line or configuration; 65 bad or missing data, weights or checkpoint;
      70 internal; 74 saving failed; 75 temporary, start again; 76 ranks disagree; 77 not finite; 85 stopped on request
      and saved.
      """,
    version: Platform.description,
    subcommands: [
      TrainCommand.self, EvaluateCommand.self, RobustnessCommand.self, EpisodesCommand.self, PerturbCommand.self,
      PredictCommand.self, MetricsCommand.self, ExportCommand.self, InspectCommand.self, DataCommand.self,
      DoctorCommand.self, BenchCommand.self, ScaleCommand.self,
      SweepCommand.self, CompareCommand.self, ReportCommand.self,
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
