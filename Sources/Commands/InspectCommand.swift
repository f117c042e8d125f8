import ArgumentParser
import Checkpointing
import Files
import Formats
import Inspection
import Reporting
import Runtime

struct InspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Print what a checkpoint, safetensors or ONNX file holds.",
    discussion: "Prints metadata, tensors or layers, and whether checksums are right.")

  @OptionGroup var trained: TrainedFileArguments

  func run() throws {
    let file = try trained.find()
    if file.hasSuffix(".onnx") { return try StandardOutput.print(GraphReport(path: file).text) }
    let parts = SafetensorsIndex.isIndex(file) ? try SafetensorsIndex(path: file).parts.map(\.path) : [file]
    for part in parts { try inspect(part) }
  }

  private func inspect(_ file: String) throws {
    let contents = try SafetensorsFile(path: file)
    var lines = [file]
    for (key, value) in contents.metadata.sorted(by: { $0.key < $1.key }) where !key.hasPrefix("checksum.") {
      if key == "network" {
        lines.append("  network: \(value.utf8.count) bytes of JSON")
        continue
      }
      let parts = value.split(separator: "\n", omittingEmptySubsequences: false)
      lines.append(parts.count > 1 ? "  \(printable(key)):" : "  \(printable(key)): \(printable(value))")
      if parts.count > 1 { lines += parts.map { "    \(printable(String($0)))" } }
    }
    var rows: [[String]] = []
    var elements = 0
    for tensor in contents.tensors {
      let count = tensor.shape.reduce(1, *)
      elements += count
      rows.append([printable(tensor.name), tensor.type.rawValue, "\(tensor.shape)", "\(count)"])
    }
    lines.append(
      Table.text(
        header: ["tensor", "type", "shape", "elements"], rows: rows, alignments: [.left, .left, .left, .right]))
    let loaded = CheckpointStore.hasChecksums(contents) ? Result { try CheckpointStore.load(path: file) } : nil
    let verdict =
      switch loaded {
      case nil: "none in this file"
      case .success?: "verified"
      case .failure?: "WRONG"
      }
    lines.append("\(counted(contents.tensors.count, "tensor")), \(counted(elements, "element")); checksums: \(verdict)")
    try StandardOutput.print(lines.joined(separator: "\n"))
    _ = try loaded?.get()
  }
}

/// Text of a foreign file without what a terminal would obey.
private func printable(_ text: String) -> String {
  String(String.UnicodeScalarView(text.unicodeScalars.map { $0.properties.generalCategory == .control ? "?" : $0 }))
}
