import Benchmarks
import Graph
import Kernels
import Models
import Operators
import Testing

@Suite struct BenchmarkTests {
  @Test func `percentiles lie between the nearest values`() {
    let five = Measurements([50, 10, 40, 20, 30])
    #expect((five.minimum, five.median, five.maximum) == (10, 30, 50))
    #expect(five.percentile(25) == 20 && five.percentile(75) == 40 && five.percentile(10) == 14)
    #expect(five.spread == 20.0 / 30)
    #expect(Measurements([1, 2, 4]).percentile(75) == 3)
    #expect(Measurements([1, 3]).median == 2)
    let one = Measurements([7])
    #expect((one.percentile(0), one.median, one.percentile(100), one.spread) == (7, 7, 7, 0))
  }

  @Test(arguments: [ModelKind.resnet8, .resnet20], [nil, 0, 5] as [Int?])
  func `a step's convolutions are METHOD's passes, less the gradient to the images`(kind: ModelKind, steps: Int?) throws
  {
    let network = try Network.make(
      kind, shortcut: .projection, hidden: [], input: SampleShape(3, 32, 32), classes: 10)
    let convolutions = network.nodes.indices.filter {
      network.nodes[$0].operator is Operators.Convolution
    }
    let forward = convolutions.reduce(0) { $0 + network.operations(of: $1) }
    let counted = network.convolutionLayers.reduce(0) { sum, layer in
      sum
        + ConvolutionPass.allCases.reduce(0) {
          $0 + BareConvolutions.runs(of: $1, layer, steps: steps) * layer.geometry.operations
        }
    }
    let passes = steps.map { 3 + 2 * $0 + 1 } ?? 3
    #expect(counted == passes * forward - network.operations(of: convolutions[0]))
  }
}
