import ArgumentParser
import Checkpointing
import Configuration
import Export
import Files
import Reporting

struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Write a trained network as an ONNX file.",
    discussion: """
      The file takes images (batch, channels, height, width), normalised as its metadata say.
      It gives logits. With --training it keeps batch normalisation and dropout.
      Then 'model.kind: onnx' can train on from it.
      """)

  @OptionGroup var trained: TrainedFileArguments

  @Option(
    help: ArgumentHelp("The weights of the checkpoint's step or their average (training.ema).", valueName: "plain|ema"))
  var weightsKind = WeightsKind.plain

  @Option(help: ArgumentHelp("The file to write.", valueName: "file"))
  var onnx: String

  @Flag(help: "Keep batch normalisation and dropout as training needs them.")
  var training = false

  func run() throws {
    let weights = try trained.find()
    let output = try OutputFile(
      onnx, of: .onnx, option: "--onnx", keeping: WeightsFile.places(weights).map { ("the checkpoint", $0) })
    let export = try NetworkExport(weights: weights, kind: weightsKind)
    if let choice = export.choice { Fatal.write("icp: \(choice)") }
    try StandardOutput.print(export.write(training ? .training : .evaluation, to: output))
  }
}
