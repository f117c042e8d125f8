import Files

/// An ONNX file as it stands: its graph's nodes, tensors, inputs and outputs. What the nodes mean is `Models`' matter.
///
/// The file is untrusted: every length is checked, no message is read deeper than its definition goes, and subgraphs
/// (of If, Loop, Scan) are not read at all.
package struct ONNXModel: Sendable {
  package struct Node: Sendable {
    package var name = ""
    package var kind = ""
    package var domain = ""
    package var inputs: [String] = []
    package var outputs: [String] = []
    package var attributes: [String: Attribute] = [:]
    package var metadata: [String: String] = [:]
    package init() {}
  }

  package enum Attribute: Sendable {
    case float(Float)
    case integer(Int)
    case text(String)
    case floats([Float])
    case integers([Int])
    case tensor(ONNXTensor)
    /// Something that no operator of a network needs.
    case other
  }

  package struct Value: Sendable {
    package var name = ""
    /// nil where it is free, or where no shape is given.
    package var dimensions: [Int?] = []
    package init() {}
    package init(_ name: String, dimensions: [Int?]) {
      self.name = name
      self.dimensions = dimensions
    }
  }

  package let path: String
  package internal(set) var opset = 0
  package internal(set) var producer = ""
  package internal(set) var metadata: [String: String] = [:]
  package internal(set) var nodes: [Node] = []
  package internal(set) var initializers: [String: ONNXTensor] = [:]
  package internal(set) var inputs: [Value] = []
  package internal(set) var outputs: [Value] = []

  /// One to be written, with tensors of unlike names.
  package init(
    opset: Int, producer: String, metadata: [String: String], nodes: [Node], initializers: [ONNXTensor],
    inputs: [Value], outputs: [Value]
  ) {
    path = ""
    self.opset = opset
    self.producer = producer
    self.metadata = metadata
    self.nodes = nodes
    self.initializers = Dictionary(uniqueKeysWithValues: initializers.map { ($0.name, $0) })
    self.inputs = inputs
    self.outputs = outputs
  }

  /// Throws where the file cannot be read, is not ONNX, or refers to data that are not there.
  package init(path: String) throws(FileError) {
    self.path = path
    let file = try MappedFile(path: path)
    var parser = ONNXParser(file: file)
    try parser.read(into: &self)
  }

  package var initializerBytes: Int { initializers.values.reduce(0) { $0 + $1.count * 4 } }
}
