import ArgumentParser
import Files
import Inspection
import Reporting

struct DataCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "data",
    abstract: "Print what a configuration's data holds.",
    discussion: """
      Prints counts, classes, sizes, formats, bad files, and images that occur twice.
      Reads every image once. With data.cache, what it finds is kept, and a run begins at once.

        icp data CONFIG --pictures sheet.png
      """)

  @OptionGroup var source: ConfigurationArguments

  @Option(
    help: ArgumentHelp(
      "Receives a PNG: training images, a row each, as they are measured and as six epochs train on them.",
      valueName: "file"))
  var pictures: String?

  func run() throws {
    let configuration = try source.load()
    let output = try pictures.map { (path) throws(SaveError) in
      try OutputFile(
        path, of: .png, option: "--pictures",
        keeping: [("the configuration", source.config)] + configuration.dataPlaces)
    }
    let inspection = try DataInspection(configuration)
    try StandardOutput.print(inspection.text)
    if let output {
      try output.write(inspection.contactSheet())
      Fatal.write(
        "icp: wrote \(output.path): a row is a training image, first as it is measured, then as six epochs train on it")
    }
  }
}
