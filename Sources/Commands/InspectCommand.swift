import ArgumentParser
import Checkpointing
import Formats
import Reporting

struct InspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Print what a checkpoint or a safetensors file holds: metadata, tensors, shapes, checksums.")

  @Argument(help: ArgumentHelp("A safetensors file.", valueName: "file"))
  var file: String

  func run() throws {
    let contents = try SafetensorsFile(path: file)
    print(file)
    for (key, value) in contents.metadata.sorted(by: { $0.key < $1.key }) where !key.hasPrefix("checksum.") {
      let lines = value.split(separator: "\n", omittingEmptySubsequences: false)
      print(lines.count > 1 ? "  \(printable(key)):" : "  \(printable(key)): \(printable(value))")
      if lines.count > 1 { for line in lines { print("    \(printable(String(line)))") } }
    }
    var rows: [[String]] = []
    var elements = 0
    for tensor in contents.tensors {
      let count = tensor.shape.reduce(1, *)
      elements += count
      rows.append([printable(tensor.name), tensor.type.rawValue, "\(tensor.shape)", "\(count)"])
    }
    print(
      Table.text(
        header: ["tensor", "type", "shape", "elements"], rows: rows, alignments: [.left, .left, .left, .right]))
    let total = "\(contents.tensors.count) tensors, \(elements) elements; checksums:"
    guard contents.metadata["checksum"] != nil else { return print("\(total) none in this file") }
    do {
      _ = try CheckpointStore.load(path: file)
      print("\(total) verified")
    } catch {
      print("\(total) WRONG")
      throw error
    }
  }
}

/// Text of a foreign file without what a terminal would obey.
private func printable(_ text: String) -> String {
  String(String.UnicodeScalarView(text.unicodeScalars.map { $0.properties.generalCategory == .control ? "?" : $0 }))
}
