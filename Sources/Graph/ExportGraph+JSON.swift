/// As a checkpoint's metadata has it (docs/CHECKPOINT.md).
extension ExportGraph: Encodable {
  private enum Key: String, CodingKey {
    case operatorSet = "operator_set"
    case input, shape, output, nodes, constants
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(Self.operatorSet, forKey: .operatorSet)
    try container.encode(input.name, forKey: .input)
    try container.encode(input.shape.extents, forKey: .shape)
    try container.encode(output.name, forKey: .output)
    try container.encode(nodes, forKey: .nodes)
    try container.encode(
      Dictionary(uniqueKeysWithValues: constants.map { ($0.name, $0) }), forKey: .constants)
  }
}

extension ExportGraph.Node: Encodable {
  private enum Key: String, CodingKey {
    case kind, inputs, output, attributes
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(kind, forKey: .kind)
    try container.encode(inputs, forKey: .inputs)
    try container.encode(output, forKey: .output)
    if !attributes.isEmpty { try container.encode(attributes, forKey: .attributes) }
  }
}

extension ExportGraph.Attribute: Encodable {
  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .integer(let value): try container.encode(value)
    case .float(let value): try container.encode(value)
    case .text(let value): try container.encode(value)
    case .integers(let values): try container.encode(values)
    }
  }
}

extension ExportGraph.Constant: Encodable {
  private enum Key: String, CodingKey {
    case shape, integers, floats
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(shape, forKey: .shape)
    switch values {
    case .integers(let values): try container.encode(values, forKey: .integers)
    case .floats(let values):
      var list = container.nestedUnkeyedContainer(forKey: .floats)
      // JSON has no infinity.
      for value in values { if value.isFinite { try list.encode(value) } else { try list.encode("\(value)") } }
    }
  }
}
