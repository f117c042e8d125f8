import Graph
import Operators

extension Builder {
  /// Dense layers with ReLU between them on the flattened input: fc1, fc2, ...; the last one gives the logits.
  /// Taps: the hidden layers, all of them by default.
  mutating func mlp(hidden: [Int], classes: Int) throws(GraphError) -> Network {
    var last = try network.append(Flatten(), named: "flatten", reading: 0)
    for (index, width) in hidden.enumerated() {
      let name = "fc\(index + 1)"
      let layer = try network.append(Dense(name, outputs: width), named: name, reading: last)
      last = try network.append(ReLU(), named: "\(name).relu", reading: layer)
      network.tap(last, as: name, byDefault: true)
    }
    return try head("fc\(hidden.count + 1)", reading: last, classes: classes)
  }
}
