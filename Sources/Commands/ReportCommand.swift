import ArgumentParser
import Checkpointing
import Configuration
import Files
import Report
import Reporting

struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Write one HTML page about a run, several runs, or a study.",
    discussion: """
      It shows curves, test images on their way from x_0 to x_T, mistakes, calibration and time.
      It says what is missing. Of several runs it says whether they differ.
      The page needs nothing but itself. docs/REPORT.md has more.

        icp report RUN
        icp report RUN OTHER --output both.html
        icp report studies/low-data
      """)

  @Argument(help: ArgumentHelp("Directories of runs, or of a study.", valueName: "run"))
  var runs: [String]

  @Option(
    help: ArgumentHelp(
      "The page; default: report.html in the directory named, or here for several.", valueName: "file"))
  var output: String?

  @Option(
    help: ArgumentHelp(
      "Which weights: the newest checkpoint (the default), the best, or of one run this file.",
      valueName: "last|best|file"))
  var checkpoint: String?

  @Option(
    help: ArgumentHelp("The weights of a checkpoint's step or their average (training.ema).", valueName: "plain|ema"))
  var weightsKind = WeightsKind.plain

  @Option(
    help: ArgumentHelp(
      "Test images to measure, drawn at random; default: as many as a few seconds allow.", valueName: "count"))
  var samples: Int?

  @Option(
    help: ArgumentHelp(
      "Of several runs, the variant that others are compared with; default: the study's, or plain training.",
      valueName: "variant"))
  var baseline: String?

  @Option(
    name: .customLong("set"), parsing: .singleValue,
    help: ArgumentHelp(
      "Overrides one key, such as data.path of images that lie elsewhere now. May be repeated.", valueName: "key=value")
  )
  var overrides: [String] = []

  func validate() throws {
    if let samples, samples < 1 { throw ValidationError("--samples \(samples): expected 1 or more") }
  }

  func run() throws {
    let report = try RunReport(
      ReportOptions(
        paths: runs, checkpoint: checkpoint.map { .init($0) }, weightsKind: weightsKind, overrides: overrides,
        samples: samples, baseline: baseline, tell: { Fatal.write("icp: \($0)") }))
    let output = try OutputFile(
      output ?? report.defaultOutput, of: .html, option: "--output", keeping: report.inputs, isNamed: output != nil,
      mark: RunReport.mark)
    try output.write(Array(report.html().utf8))
    Fatal.write("icp: wrote \(output.path)")
  }
}
