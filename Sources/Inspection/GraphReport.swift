import Files
import Formats
import Graph
import Models
import Reporting
import Runtime

/// What an ONNX file's network is: layers, shapes, parameters, taps, work.
package struct GraphReport {
  private let file: GraphFile

  package init(path: String) throws(FileError) { file = try GraphFile(path: path) }

  package var text: String {
    let network = file.network
    let layout = ParameterLayout(network)
    var lines = [file.path]
    for (key, value) in file.metadata.sorted(by: { $0.key < $1.key }) where !value.isEmpty {
      lines.append("  \(quoted(key)): \(quoted(value))")
    }
    let rows = network.nodes.indices.map { index -> [String] in
      let node = network.nodes[index]
      let parameters = network.variables(of: index).filter { $0.kind == .parameter }.reduce(0) { $0 + $1.count }
      let taps = network.taps.filter { $0.node == index }.map(\.name)
      let shown = network.defaultTaps.first(where: taps.contains).map { "tap \($0)" } ?? taps.first ?? ""
      return [
        quoted(node.name), node.operator.kind, "\(node.shape)", parameters > 0 ? Table.grouped(parameters) : "",
        network.operations(of: index) > 0 ? decimal(Double(network.operations(of: index)) / 1e6, places: 2) : "",
        shown.isEmpty ? "" : quoted(shown),
      ]
    }
    lines.append(
      Table.text(
        header: ["node", "operator", "output", "parameters", "MFLOP a sample", "module"], rows: rows,
        alignments: [.left, .left, .right, .right, .right, .left]))
    lines.append(
      "images of \(network.input), \(counted(network.classes, "class")), \(Table.grouped(layout.parameterCount)) parameters, "
        + "\(decimal(Double(network.operations) / 1e9, places: 3)) GFLOP a sample")
    lines.append(
      "taps by default: \(network.defaultTaps.map(quoted).joined(separator: ", ")); pooled, logits and any module besides"
    )
    return lines.joined(separator: "\n")
  }
}
