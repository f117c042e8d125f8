import Formats
import Graph
import Operators
import Runtime

/// Makes a network of an ONNX graph.
///
/// The graph is read **for a batch of one**: samples do not depend on each other, so what it does to a batch of one it
/// does to each sample of any batch, and an axis that holds the batch is an axis of extent 1, wherever it stands. So a
/// batch that the exporter fixed in an input, a Reshape or an Expand is free, and shape arithmetic has but one result.
/// A batch of more than one that was fixed becomes one first.
struct GraphReader {
  /// What a name in the file stands for.
  enum Value {
    /// A node's output; its extents in the file, the batch's 1 among them.
    case node(Int, [Int])
    /// A tensor that is known: a weight, or a constant.
    case tensor(ONNXTensor)
    /// A result of shape arithmetic.
    case integers([Int], shape: [Int])
  }

  let model: ONNXModel
  var network: Network
  var values: [String: Value] = [:]
  var sources: [String: GraphFile.Source] = [:]
  /// How often each name is read.
  private(set) var readers: [String: [Int]] = [:]
  /// The batch that the file was exported with.
  let fixedBatch: Int
  /// Nodes that another one took in.
  var done: Set<Int> = []
  private var names: Set<String> = ["input"]
  /// Of each module's path, the last node in it.
  private(set) var modules: [(path: String, node: Int)] = []
  /// As launch/export-model notes them: buffers, which are constants, and parameters whose names would not tell.
  private let buffers, parameters: Set<String>

  init(_ model: ONNXModel) throws(GraphError) {
    self.model = model
    guard model.inputs.count == 1, let input = model.inputs.first else {
      throw GraphError("has \(counted(model.inputs.count, "input")), expected one: images")
    }
    let extents = input.dimensions.dropFirst()
    guard extents.count == 3, extents.allSatisfy({ $0 != nil }) else {
      let shape = input.dimensions.prefix(8).map { $0.map(String.init) ?? "?" }.joined(separator: ", ")
      throw GraphError(
        "input \(quoted(input.name)) has the shape (\(shape)), expected (batch, channels, height, width), "
          + "the last three fixed: export it with inputs of one size")
    }
    guard (7...23).contains(model.opset) else {
      throw GraphError("uses operator set \(model.opset), expected 13 to 23")
    }
    fixedBatch = input.dimensions[0] ?? 1
    network = Network(input: try SampleShape(checking: extents.map { $0! }))
    values[input.name] = .node(0, [1] + extents.map { $0! })
    for (name, tensor) in model.initializers { values[name] = .tensor(tensor) }
    for (index, node) in model.nodes.enumerated() {
      for name in node.inputs where !name.isEmpty { readers[name, default: []].append(index) }
    }
    func names(_ key: String) -> Set<String> {
      Set((model.metadata[key] ?? "").split(separator: ",").map(String.init))
    }
    buffers = names("buffers")
    parameters = names("parameters")
  }

  mutating func read() throws(GraphError) {
    var problems: [String] = []
    for (index, node) in model.nodes.enumerated() where !done.contains(index) {
      do throws(GraphError) {
        try convert(node, index)
      } catch {
        problems.append(Self.line("\(describe(node)): \(error)"))
        // What reads it is not to blame.
        for output in node.outputs { values[output] = nil }
      }
    }
    if !problems.isEmpty { throw failure(problems) }
    try checkFolding()
    try finish()
  }

  /// One node. Throws what is wrong with it; nothing where one that it reads could not be read.
  private mutating func convert(_ node: ONNXModel.Node, _ index: Int) throws(GraphError) {
    let missing = node.inputs.contains { !$0.isEmpty && values[$0] == nil }
    guard node.domain.isEmpty || node.domain == "ai.onnx", let converter = Self.converters[node.kind] else {
      throw GraphError("this operator is not supported")
    }
    guard !missing else { return }
    if try foldConstants(node) { return }
    var context = NodeContext(node: node, index: index)
    try converter(&self, &context)
  }

  private func describe(_ node: ONNXModel.Node) -> String {
    let module = modulePath(node)
    return "\(node.domain.isEmpty ? "" : "\(node.domain).")\(node.kind) \(quoted(node.name))"
      + (module.isEmpty ? "" : " in module \(module)")
  }

  /// A problem as a message may show it, whatever names and lists the file brings: no control characters, no more than
  /// a few lines.
  private static func line(_ text: String) -> String {
    var line = String.UnicodeScalarView()
    for scalar in text.unicodeScalars.prefix(300) {
      line.append(scalar.properties.generalCategory == .control ? "?" : scalar)
    }
    return String(line) + (text.unicodeScalars.count > 300 ? "..." : "")
  }

  private func failure(_ problems: [String]) -> GraphError {
    let shown = problems.prefix(40).map { "  \($0)" }.joined(separator: "\n")
    let rest = problems.count > 40 ? "\n  and \(problems.count - 40) more" : ""
    return GraphError(
      "\(counted(problems.count, "node")) cannot be read:\n\(shown)\(rest)\n"
        + "Export with launch/export-model, which folds what is constant, or write the module with supported operators "
        + "(docs/NETWORKS.md)")
  }

  // MARK: Names

  /// The path of the module that a node came from, as PyTorch's exporter notes it.
  func modulePath(_ node: ONNXModel.Node) -> String { modulePaths(node).last ?? "" }

  /// From the outermost module to the innermost.
  func modulePaths(_ node: ONNXModel.Node) -> [String] {
    guard let scopes = node.metadata["pkg.torch.onnx.name_scopes"] else { return [] }
    // ['', 'layer1', 'layer1.0', 'conv2d_1']; the last is the operation.
    let names = scopes.split(separator: "'", omittingEmptySubsequences: false).enumerated()
      .filter { $0.offset % 2 == 1 }.map { String($0.element) }
    // As names of taps they come to terminals.
    return names.dropLast().filter { name in
      !name.isEmpty && name.utf8.allSatisfy { $0.isNameCharacter || $0.isAnchorCharacter }
    }
  }

  private mutating func unique(_ name: String) -> String {
    var candidate = name.isEmpty ? "node" : name
    var number = 1
    while !names.insert(candidate).inserted {
      number += 1
      candidate = "\(name).\(number)"
    }
    return candidate
  }

  // MARK: What converters call

  /// The node of the network that a name stands for, and its extents. A parameter that is computed with becomes one.
  mutating func node(_ name: String) throws(GraphError) -> (index: Int, extents: [Int]) {
    if case .tensor(let tensor)? = values[name], isParameter(tensor) { try lift(tensor, as: name) }
    guard case .node(let index, let extents)? = values[name] else {
      throw GraphError("input \(quoted(name)) is a constant, expected a value that depends on the images")
    }
    return (index, extents)
  }

  /// Makes a tensor a value of every sample, whose gradient is the sum of theirs.
  private mutating func lift(_ tensor: ONNXTensor, as name: String) throws(GraphError) {
    try register(.init(tensor: tensor), as: tensor.name)
    let variable = Variable(tensor.name, tensor.shape, start: .constant(0), decays: false)
    let node = try network.append(
      Parameter(variable, shape: try Self.sample(tensor.shape)), named: unique(tensor.name), reading: [])
    bind(name, to: node, tensor.shape)
  }

  func isNode(_ name: String) -> Bool { if case .node = values[name] { true } else { false } }

  /// The sample's shape of extents in the file: a leading 1 is the batch's axis.
  static func sample(_ extents: [Int]) throws(GraphError) -> SampleShape {
    try SampleShape(checking: extents.first == 1 ? Array(extents.dropFirst()) : extents)
  }

  /// A sample's axis that is `axis` of the extents. Throws where it is the batch's.
  static func axis(_ axis: Int, of extents: [Int]) throws(GraphError) -> Int {
    let index = axis < 0 ? axis + extents.count : axis
    guard extents.indices.contains(index) else { throw GraphError("axis \(axis) of \(extents.count)") }
    guard extents.first == 1 else { return index }
    guard index > 0 else { throw GraphError("it works along the batch axis") }
    return index - 1
  }

  /// Appends an operator that gives `extents`, and returns its node.
  @discardableResult
  mutating func append(
    _ operator: any Operator, _ context: NodeContext, reading inputs: [Int], extents: [Int]
  ) throws(GraphError) -> Int {
    let node = try add(`operator`, context, reading: inputs)
    let expected = try Self.sample(extents)
    guard network.nodes[node].shape == expected else {
      throw GraphError("gives \(network.nodes[node].shape), expected \(expected)")
    }
    return node
  }

  /// Appends an operator of the node's, and returns its node in the network.
  mutating func add(_ operator: any Operator, _ context: NodeContext, reading inputs: [Int]) throws(GraphError) -> Int {
    let node = try network.append(
      `operator`, named: unique(context.node.outputs.first ?? context.node.name), reading: inputs)
    for path in modulePaths(context.node) {
      modules.removeAll { $0.path == path }
      modules.append((path, node))
    }
    return node
  }

  /// Appends an operator whose output is one of the node's.
  mutating func emit(
    _ operator: any Operator, _ context: NodeContext, reading inputs: [Int], extents: [Int], output: Int = 0
  ) throws(GraphError) {
    let node = try append(`operator`, context, reading: inputs, extents: extents)
    bind(context.node.outputs[output], to: node, extents)
  }

  mutating func bind(_ name: String, to node: Int, _ extents: [Int]) { values[name] = .node(node, extents) }

  /// The node as a value of other extents: itself where a sample's shape stays, or a Reshape of it.
  mutating func reshaped(_ node: Int, to extents: [Int], _ context: NodeContext) throws(GraphError) -> Int {
    let target = try Self.sample(extents)
    guard network.nodes[node].shape != target else { return node }
    guard network.nodes[node].shape.count == target.count else {
      throw GraphError("\(network.nodes[node].shape) cannot become \(target)")
    }
    return try append(Reshape(target), context, reading: [node], extents: extents)
  }

  /// A tensor of floats that an operator owns. Throws where another one owns it already.
  func tensor(_ name: String) throws(GraphError) -> ONNXTensor {
    guard case .tensor(let tensor)? = values[name], tensor.isFloat else {
      throw GraphError("input \(quoted(name)) is computed, expected a tensor of the file")
    }
    return tensor
  }

  /// Registers a variable with the file's values and returns its name: the tensor's own, or one after the module where
  /// the exporter has given it a number.
  mutating func variable(
    _ tensor: ONNXTensor, _ context: NodeContext, role: String, isTransposed: Bool = false
  ) throws(GraphError) -> String {
    let module = modulePath(context.node)
    let isNumbered = !tensor.name.contains(".") && !module.isEmpty
    let name = isNumbered ? "\(module).\(role)" : tensor.name
    try register(.init(tensor: tensor, isTransposed: isTransposed), as: name)
    return name
  }

  private mutating func register(_ source: GraphFile.Source, as name: String) throws(GraphError) {
    guard name.isParameterName, !WeightNames.isPassedOver(name), !Network.isBranchParameter(name) else {
      throw GraphError(
        "weights \(quoted(name)) have a name that a checkpoint cannot hold: expected 1 to 200 characters of ASCII "
          + "without spaces, quotes and backslashes, and none of the names that checkpoints have for other things, "
          + "'\(WeightNames.optimizerPrefix)*', '*num_batches_tracked', 'branchN.hidden.*' and 'branchN.fc.*'")
    }
    let isAverage = name.hasPrefix(WeightNames.averagePrefix) && sources[WeightNames.ofAverage(name)] != nil
    guard !isAverage, sources[WeightNames.averagePrefix + name] == nil else {
      throw GraphError(
        "weights \(quoted(name)): there is a name with and without '\(WeightNames.averagePrefix)', which is what a "
          + "checkpoint calls an average")
    }
    guard sources.updateValue(source, forKey: name) == nil else {
      throw GraphError("weights \(quoted(name)) are used twice, which is not supported")
    }
  }

  /// Whether a tensor that a file computes with is trained: one with a module's path for a name that is no buffer, or
  /// one that the exporter, or its name, says to be a parameter.
  func isParameter(_ tensor: ONNXTensor) -> Bool {
    guard tensor.isFloat else { return false }
    // Older exporters name what they fold after the path of a node.
    return tensor.name.contains(".") && !tensor.name.hasPrefix("/") && !buffers.contains(tensor.name)
      || parameters.contains(tensor.name) || tensor.name.hasSuffix("_token") || tensor.name.hasSuffix("pos_embed")
      || tensor.name.hasSuffix("pos_embedding")
  }

  /// The only reader of a node's first output; nil where there are several, or the graph gives it out.
  func onlyReader(_ node: ONNXModel.Node) -> (index: Int, node: ONNXModel.Node)? {
    guard let readers = readers[node.outputs[0]], readers.count == 1,
      !model.outputs.contains(where: { $0.name == node.outputs[0] })
    else { return nil }
    return (readers[0], model.nodes[readers[0]])
  }
}

/// The node that is converted.
struct NodeContext {
  let node: ONNXModel.Node
  let index: Int

  func has(_ input: Int) -> Bool { input < node.inputs.count && !node.inputs[input].isEmpty }

  func integer(_ name: String, _ value: Int) -> Int {
    if case .integer(let given)? = node.attributes[name] { given } else { value }
  }
  func float(_ name: String, _ value: Float) -> Float {
    if case .float(let given)? = node.attributes[name] { given } else { value }
  }
  func text(_ name: String, _ value: String) -> String {
    if case .text(let given)? = node.attributes[name] { given } else { value }
  }
  func integers(_ name: String) -> [Int]? {
    if case .integers(let given)? = node.attributes[name] { given } else { nil }
  }
}
