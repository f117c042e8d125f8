import Graph
import Kernels
import Models
import TestSupport
import Testing

@Suite struct `The average of weights` {
  /// 1e-6 of the largest value: ten steps, each rounding by 6e-8 of it, PyTorch perhaps with a fused multiplication.
  @Test(arguments: [0.9, 0.999]) func `follows PyTorch's of parameters and buffers`(decay: Double) throws {
    let golden = try Golden(fixture: "averages")
    let model = ModelState(
      try .make(.resnet8, shortcut: .projection, hidden: [], input: SampleShape(1, 4, 4), classes: 2), seed: 0)
    let blocks = [("p", model.parameters, 16), ("b", model.statistics, 8)]
    for (name, block, _) in blocks { _ = block.values.update(fromContentsOf: try golden.floats("\(name)0")) }
    let average = WeightAverage(of: model, decay: decay)
    for step in 0..<10 {
      for (name, block, count) in blocks {
        let rows = step * count..<(step + 1) * count
        _ = block.values.update(fromContentsOf: try golden.floats(name)[rows])
      }
      average.update(from: model)
      for ((name, _, count), own) in zip(blocks, [average.model.parameters, average.model.statistics]) {
        let rows = step * count..<(step + 1) * count
        let reference = try golden.floats("\(decay).\(name)")[rows]
        #expect(Distance.maximum(own.values[..<count], reference) < 1e-6, "\(name) after step \(step)")
        // The rest stands still, and so does its average, to the bit.
        #expect(
          zip(own.values, (name == "p" ? model.parameters : model.statistics).values).dropFirst(count).allSatisfy(==))
      }
    }
  }

  @Test func `has a name beside the tensor's, and a network's own part of that name is none`() {
    let names = ["ema.conv.weight", "conv.weight", "ema.fc.weight", "ema.ema.fc.weight"]
    #expect(WeightNames.averages(among: names) == ["ema.conv.weight", "ema.ema.fc.weight"])
    #expect(WeightNames.ofAverage("ema.ema.fc.weight") == "ema.fc.weight")
  }
}
