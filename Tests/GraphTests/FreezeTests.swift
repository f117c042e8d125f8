import Graph
import Testing

@Suite struct `Frozen parameters` {
  @Test(arguments: [
    ("layer1", "layer1.0.conv1.weight", true), ("layer1", "layer10.0.weight", false),
    ("layer1.", "layer1.0.weight", true),
    ("layer1.0.conv1.weight", "layer1.0.conv1.weight", true), ("layer1.0.conv", "layer1.0.conv1.weight", false),
    ("/features", "/features/0/weight", true), ("", "fc.weight", false), ("fc.weight.x", "fc.weight", false),
  ])
  func `a prefix stands for whole parts of a name`(prefix: String, name: String, covers: Bool) {
    #expect(NamePrefix.covers(prefix, name) == covers)
  }

  @Test func `statistics are fixed where no parameter of their layer trains, and only if asked for`() {
    let variables = [
      Variable("bn.weight", [4], start: .constant(1)), Variable("bn.bias", [4], start: .constant(0)),
      Variable("bn.mean", [4], kind: .statistic, start: .constant(0)),
    ]
    #expect(Freeze(["bn"], fixesStatistics: true).fixesStatistics(of: variables))
    #expect(!Freeze(["bn"]).fixesStatistics(of: variables))
    #expect(!Freeze(["bn.weight"], fixesStatistics: true).fixesStatistics(of: variables))
    #expect(!Freeze([], fixesStatistics: true).fixesStatistics(of: variables))
  }

  @Test func `stretches are counted through, whatever they are cut into`() {
    let stretches = Stretches([20..<25, 3..<5, 5..<9, 12..<12])
    #expect(stretches.ranges == [3..<9, 20..<25] && stretches.count == 11)
    let places = Array(3..<9) + Array(20..<25)
    for size in 1...12 {
      var seen: [Int] = []
      for first in stride(from: 0, to: 11, by: size) {
        stretches.forEach(in: first..<min(first + size, 11)) { block, number in
          #expect(number == seen.count)
          seen += Array(block)
        }
      }
      #expect(seen == places, "in parts of \(size)")
    }
    for place in 0...30 { #expect(stretches.count(before: place) == places.count { $0 < place }, "\(place)") }
  }
}
