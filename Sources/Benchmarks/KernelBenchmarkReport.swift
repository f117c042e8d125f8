import Configuration
import Graph
import Kernels
import MPI
import Planning
import Reduction
import Reporting
import Runtime

/// What each convolution came to, by the slowest rank.
package struct KernelBenchmarkReport {
  /// One call's seconds, on a whole batch.
  struct Rate {
    var layer: Int
    var backend: ConvolutionBackend
    var pass: ConvolutionPass
    var seconds: Double
  }

  let configuration: RunConfiguration
  let layers: [ConvolutionLayer]
  let batch: Int
  let ranks: Int
  let options: RepeatOptions
  let rates: [Rate]

  private func seconds(_ layer: Int, _ backend: ConvolutionBackend, _ pass: ConvolutionPass) -> Double {
    rates.first { $0.layer == layer && $0.backend == backend && $0.pass == pass }!.seconds
  }

  private func gflops(_ layer: Int, _ backend: ConvolutionBackend, _ pass: ConvolutionPass) -> Double {
    Double(layers[layer].geometry.operations * batch) / seconds(layer, backend, pass) / 1e9
  }

  /// Of all layers, each as often as the network has it.
  private func secondsPerImage(_ backend: ConvolutionBackend, _ pass: ConvolutionPass) -> Double {
    layers.indices.reduce(0) { $0 + Double(layers[$1].count) * seconds($1, backend, pass) } / Double(batch)
  }

  private func gflops(_ backend: ConvolutionBackend, _ pass: ConvolutionPass) -> Double {
    let operations = layers.reduce(0) { $0 + $1.count * $1.geometry.operations }
    return Double(operations) / secondsPerImage(backend, pass) / 1e9
  }

  private func byBackendAndPass(
    _ value: (ConvolutionBackend, ConvolutionPass) -> BenchmarkValue
  ) -> [String: BenchmarkValue] {
    Dictionary(
      uniqueKeysWithValues: ConvolutionBackend.allCases.map { backend in
        let passes = ConvolutionPass.allCases.map { ($0.rawValue, value(backend, $0)) }
        return (backend.rawValue, .object(Dictionary(uniqueKeysWithValues: passes)))
      })
  }

  /// For scripts.
  package var json: String {
    let lines = layers.indices.map { index -> BenchmarkValue in
      let geometry = layers[index].geometry
      return .object([
        "name": .text(layers[index].name), "count": .integer(layers[index].count),
        "height": .integer(geometry.height), "width": .integer(geometry.width), "inputs": .integer(geometry.inputs),
        "outputs": .integer(geometry.outputs), "kernel": .integer(geometry.kernel.height),
        "stride": .integer(geometry.stride.height),
        "gflops": .object(byBackendAndPass { .number(gflops(index, $0, $1)) }),
        "seconds": .object(byBackendAndPass { .number(seconds(index, $0, $1)) }),
      ])
    }
    return BenchmarkValue.object([
      "layers": .list(lines), "seconds_per_image": .object(byBackendAndPass { .number(secondsPerImage($0, $1)) }),
      "gflops": .object(byBackendAndPass { .number(gflops($0, $1)) }), "batch": .integer(batch),
      "ranks": .integer(ranks), "threads": .integer(configuration.training.threads),
      "model": .text(configuration.model.kind.rawValue), "warm_up": .integer(options.warmUp),
      "repeats": .integer(options.repeats), "versions": .text(Platform.description),
    ]).json
  }

  /// For people.
  package var text: String {
    let columns = ConvolutionBackend.allCases.flatMap { backend in ConvolutionPass.allCases.map { (backend, $0) } }
    let rows = layers.indices.map { index in
      let (layer, geometry) = (layers[index], layers[index].geometry)
      return [
        layer.name, "\(layer.count)", "\(geometry.height)x\(geometry.width)x\(geometry.inputs)",
        "\(geometry.outputs) of \(geometry.kernel.height)x\(geometry.kernel.width)/\(geometry.stride.height)",
      ] + columns.map { decimal(gflops(index, $0.0, $0.1), places: 1) }
    }
    let all = ["all", "\(layers.reduce(0) { $0 + $1.count })", "", ""]
    let total = all + columns.map { decimal(gflops($0.0, $0.1), places: 1) }
    let image = ["us an image", "", "", ""] + columns.map { decimal(secondsPerImage($0.0, $0.1) * 1e6, places: 1) }
    let header =
      ["first such layer", "layers", "input", "filters"] + columns.map { "\($0.0.rawValue) \(Self.short($0.1))" }
    return [
      Platform.description,
      "\(configuration.model.kind.rawValue), batch \(batch), \(ranks) \(ranks == 1 ? "rank" : "ranks"); GFLOP/s by the "
        + "median of \(options.repeats) repeats, of the slowest rank", "",
      Table.text(
        header: header, rows: rows + [total, image],
        alignments: [.left, .right, .right, .right] + columns.map { _ in .right }), "",
      "fwd: forward, dx: backward to the data, dw: backward to the weights",
    ].joined(separator: "\n")
  }

  private static func short(_ pass: ConvolutionPass) -> String {
    switch pass {
    case .forward: "fwd"
    case .backwardData: "dx"
    case .backwardWeights: "dw"
    }
  }
}
