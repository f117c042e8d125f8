import Formats
import Graph
import Operators

/// Operators that move elements, or sum them over axes.
extension GraphReader {
  static let shapeConverters: [String: Converter] = [
    "Reshape": { reader, context throws(GraphError) in
      let x = try reader.node(context.node.inputs[0])
      let target = try reader.integers(context.node.inputs[1])
      try reader.reshape(
        x, to: reader.extents(target, of: x.extents, allowsZero: context.integer("allowzero", 0) != 0), context)
    },
    "Flatten": { reader, context throws(GraphError) in
      let x = try reader.node(context.node.inputs[0])
      let axis = context.integer("axis", 1)
      let split = axis < 0 ? axis + x.extents.count : axis
      guard (0...x.extents.count).contains(split) else { throw GraphError("axis \(axis)") }
      let before = x.extents[..<split].reduce(1, *)
      try reader.reshape(x, to: [before, x.extents[split...].reduce(1, *)], context)
    },
    "Squeeze": { reader, context throws(GraphError) in
      let x = try reader.node(context.node.inputs[0])
      let axes =
        try reader.axes(context, of: x.extents.count) ?? x.extents.indices.filter { $0 > 0 && x.extents[$0] == 1 }
      guard axes.allSatisfy({ x.extents[$0] == 1 }) else { throw GraphError("axes \(axes) of \(x.extents)") }
      try reader.reshape(x, to: x.extents.indices.filter { !axes.contains($0) }.map { x.extents[$0] }, context)
    },
    "Unsqueeze": { reader, context throws(GraphError) in
      let x = try reader.node(context.node.inputs[0])
      let count = try reader.axes(context, of: SampleShape.maximumRank + 1)?.count ?? 0
      let axes = try reader.axes(context, of: x.extents.count + count) ?? []
      var extents = x.extents
      for axis in axes.sorted() { extents.insert(1, at: axis) }
      try reader.reshape(x, to: extents, context)
    },
    "Transpose": { reader, context throws(GraphError) in try reader.transpose(context) },
    "Expand": { reader, context throws(GraphError) in try reader.expand(context) },
    "Concat": { reader, context throws(GraphError) in try reader.concatenate(context) },
    "Split": { reader, context throws(GraphError) in try reader.split(context) },
    "Slice": { reader, context throws(GraphError) in try reader.slice(context) },
    "Gather": { reader, context throws(GraphError) in try reader.gather(context) },
    "Pad": { reader, context throws(GraphError) in try reader.pad(context) },
    "ReduceMean": { reader, context throws(GraphError) in try reader.reduce(context, isMean: true) },
    "ReduceSum": { reader, context throws(GraphError) in try reader.reduce(context, isMean: false) },
    // Only shape arithmetic has them; `foldConstants` does it.
    "Shape": unfolded, "ConstantOfShape": unfolded, "Constant": unfolded, "Range": unfolded, "Where": unfolded,
    "Equal": unfolded,
  ]

  private static let unfolded: Converter = { _, _ throws(GraphError) in
    throw GraphError("depends on the images, expected shape arithmetic")
  }

  /// Axes from the second input (or the attribute of older operator sets), each in 0..<rank; nil where none are given.
  private func axes(_ context: NodeContext, of rank: Int) throws(GraphError) -> [Int]? {
    let given: [Int]
    if context.has(1) {
      given = try integers(context.node.inputs[1])
    } else if let axes = context.integers("axes") {
      given = axes
    } else {
      return nil
    }
    let axes = given.map { $0 < 0 ? $0 + rank : $0 }
    guard axes.allSatisfy({ (0..<rank).contains($0) }), Set(axes).count == axes.count else {
      throw GraphError("axes \(given)")
    }
    return axes
  }

  private mutating func reshape(
    _ x: (index: Int, extents: [Int]), to extents: [Int], _ context: NodeContext
  ) throws(GraphError) {
    bind(context.node.outputs[0], to: try reshaped(x.index, to: extents, context), extents)
  }

  /// ONNX's target of a Reshape: 0 keeps an extent, -1 is what is left. A batch that was fixed is divided out.
  private func extents(_ target: [Int], of x: [Int], allowsZero: Bool) throws(GraphError) -> [Int] {
    var extents: [Int] = []
    for (index, extent) in target.enumerated() {
      guard extent >= -1, extent < 1 << 40 else { throw GraphError("a target of \(target)") }
      extents.append(extent == 0 && !allowsZero && index < x.count ? x[index] : extent)
    }
    let count = x.reduce(1, *)
    func product() -> Int { extents.reduce(1) { $1 < 0 ? $0 : $0.multipliedReportingOverflow(by: $1).partialValue } }
    if fixedBatch > 1, product() != count, let first = extents.firstIndex(where: { $0 > 0 && $0 % fixedBatch == 0 }),
      product() == count * fixedBatch || extents.contains(-1) && first == 0
    {
      extents[first] /= fixedBatch
    }
    let known = product()
    if let free = extents.firstIndex(of: -1) {
      guard known > 0, count % known == 0 else { throw GraphError("\(x) cannot become \(target)") }
      extents[free] = count / known
    }
    guard extents.allSatisfy({ $0 > 0 }),
      extents.reduce(1, { $0.multipliedReportingOverflow(by: $1).partialValue }) == count
    else {
      throw GraphError("\(x) cannot become \(target)")
    }
    return extents
  }

  private mutating func transpose(_ context: NodeContext) throws(GraphError) {
    let x = try node(context.node.inputs[0])
    let permutation = context.integers("perm") ?? x.extents.indices.reversed()
    guard permutation.sorted() == Array(x.extents.indices) else { throw GraphError("permutation \(permutation)") }
    let extents = permutation.map { x.extents[$0] }
    // Along the axes of the file, or without the batch's where that stays first.
    if x.extents.first == 1, permutation.first == 0 {
      return try emit(Transpose(permutation.dropFirst().map { $0 - 1 }), context, reading: [x.index], extents: extents)
    }
    var lifted = x.index
    if x.extents.first == 1 {
      lifted = try add(Reshape(try SampleShape(checking: x.extents)), context, reading: [x.index])
    }
    let whole = try add(Transpose(permutation), context, reading: [lifted])
    bind(context.node.outputs[0], to: try reshaped(whole, to: extents, context), extents)
  }

  private mutating func expand(_ context: NodeContext) throws(GraphError) {
    var target = try integers(context.node.inputs[1])
    guard target.allSatisfy({ $0 > 0 && $0 < 1 << 30 }) else { throw GraphError("a target of \(target)") }
    if fixedBatch > 1, target.first == fixedBatch { target[0] = 1 }
    var x: (index: Int, extents: [Int])
    if isNode(context.node.inputs[0]) {
      x = try node(context.node.inputs[0])
    } else {
      x = try parameter(context.node.inputs[0], context)
    }
    let rank = max(x.extents.count, target.count)
    let from = Array(repeating: 1, count: rank - x.extents.count) + x.extents
    let to = zip(from, Array(repeating: 1, count: rank - target.count) + target).map { max($0, $1) }
    guard zip(from, to).allSatisfy({ $0 == $1 || $0 == 1 }) else { throw GraphError("\(x.extents) to \(target)") }
    guard from != to else { return bind(context.node.outputs[0], to: try reshaped(x.index, to: to, context), to) }
    guard to.first == 1 || from.first != 1 else { throw GraphError("it works along the batch axis") }
    let lifted = try reshaped(x.index, to: from, context)
    try emit(Expand(try Self.sample(to)), context, reading: [lifted], extents: to)
  }

  /// A tensor of the file as a value of every sample.
  private mutating func parameter(_ name: String, _ context: NodeContext) throws(GraphError) -> (
    index: Int, extents: [Int]
  ) {
    let tensor = try tensor(name)
    let variable = try variable(tensor, context, role: "token")
    let node = try append(
      Parameter(
        Variable(variable, tensor.shape, start: .constant(0), decays: false), shape: try Self.sample(tensor.shape)),
      context, reading: [], extents: tensor.shape)
    return (node, tensor.shape)
  }

  private mutating func concatenate(_ context: NodeContext) throws(GraphError) {
    var inputs: [(index: Int, extents: [Int])] = []
    for name in context.node.inputs {
      inputs.append(isNode(name) ? try node(name) : try parameter(name, context))
    }
    let rank = inputs[0].extents.count
    let given = context.integer("axis", 0)
    let place = given < 0 ? given + rank : given
    guard (0..<rank).contains(place), inputs.allSatisfy({ $0.extents.count == rank }) else {
      throw GraphError("axis \(given)")
    }
    guard inputs.count > 1 else { return bind(context.node.outputs[0], to: inputs[0].index, inputs[0].extents) }
    var extents = inputs[0].extents
    extents[place] = inputs.reduce(0) { $0 + $1.extents[place] }
    // Along the first axis, which nobody can tell from the batch's where it is 1.
    if place == 0, inputs.contains(where: { $0.extents[0] == 1 }) { throw GraphError("it works along the batch axis") }
    let axis = try Self.axis(place, of: inputs[0].extents)
    try emit(Concatenation(axis: axis), context, reading: inputs.map(\.index), extents: extents)
  }

  private mutating func split(_ context: NodeContext) throws(GraphError) {
    let x = try node(context.node.inputs[0])
    let axis = context.integer("axis", 0)
    let place = axis < 0 ? axis + x.extents.count : axis
    guard x.extents.indices.contains(place) else { throw GraphError("axis \(axis)") }
    let outputs = context.node.outputs.count
    var sizes: [Int]
    if context.has(1) {
      sizes = try integers(context.node.inputs[1])
    } else if let given = context.integers("split") {
      sizes = given
    } else {
      let size = (x.extents[place] + outputs - 1) / outputs
      sizes = (0..<outputs).map { min(size, x.extents[place] - $0 * size) }
    }
    guard sizes.count == outputs, sizes.allSatisfy({ $0 > 0 }), sizes.reduce(0, +) == x.extents[place] else {
      throw GraphError("parts of \(sizes) of \(x.extents[place]) positions")
    }
    var start = 0
    for (output, size) in sizes.enumerated() {
      try take(x, Slice.Range(start: start, count: size), axis: place, context, output: output)
      start += size
    }
  }

  /// A stretch of one axis.
  private mutating func take(
    _ x: (index: Int, extents: [Int]), _ range: Slice.Range, axis place: Int, _ context: NodeContext, output: Int = 0
  ) throws(GraphError) {
    var extents = x.extents
    extents[place] = range.count
    guard extents != x.extents else { return bind(context.node.outputs[output], to: x.index, extents) }
    let shape = network.nodes[x.index].shape
    let slice = Slice(range, axis: try Self.axis(place, of: x.extents), of: shape)
    // Where the axes of the file are a sample's, an extent that becomes 1 stays one.
    let node = try add(slice, context, reading: [x.index])
    bind(context.node.outputs[output], to: try reshaped(node, to: extents, context), extents)
  }

  private mutating func slice(_ context: NodeContext) throws(GraphError) {
    let x = try node(context.node.inputs[0])
    func list(_ input: Int, _ name: String) throws(GraphError) -> [Int]? {
      context.has(input) ? try integers(context.node.inputs[input]) : context.integers(name)
    }
    guard let starts = try list(1, "starts"), let ends = try list(2, "ends"), starts.count == ends.count else {
      throw GraphError("starts and ends of different length")
    }
    let axes = try list(3, "axes") ?? Array(starts.indices)
    let steps = try list(4, "steps") ?? Array(repeating: 1, count: starts.count)
    guard axes.count == starts.count, steps.count == starts.count else {
      throw GraphError("axes \(axes), steps \(steps)")
    }
    var current = x
    for (index, axis) in axes.enumerated() {
      let place = axis < 0 ? axis + x.extents.count : axis
      guard x.extents.indices.contains(place), steps[index] > 0 else {
        throw GraphError("axis \(axis), step \(steps[index])")
      }
      let extent = x.extents[place]
      func bound(_ value: Int) -> Int { min(max(value < 0 ? value &+ extent : value, 0), extent) }
      let start = bound(starts[index])
      let count = (bound(ends[index]) - start + steps[index] - 1) / steps[index]
      guard count > 0 else { throw GraphError("nothing of axis \(axis)") }
      try take(current, Slice.Range(start: start, count: count, step: steps[index]), axis: place, context)
      current = try node(context.node.outputs[0])
    }
  }

  private mutating func gather(_ context: NodeContext) throws(GraphError) {
    let x = try node(context.node.inputs[0])
    let axis = context.integer("axis", 0)
    let place = axis < 0 ? axis + x.extents.count : axis
    guard x.extents.indices.contains(place) else { throw GraphError("axis \(axis)") }
    let shape: [Int]
    switch values[context.node.inputs[1]] {
    case .integers(_, let known)?: shape = known
    case .tensor(let tensor)?: shape = tensor.shape
    default: throw GraphError("positions that are computed")
    }
    let indices = try integers(context.node.inputs[1]).map { $0 < 0 ? $0 + x.extents[place] : $0 }
    guard !indices.isEmpty, indices.allSatisfy((0..<x.extents[place]).contains) else {
      throw GraphError("positions \(indices)")
    }
    let extents = x.extents[..<place] + shape + x.extents[(place + 1)...]
    if indices == Array(0..<x.extents[place]) { return try reshape(x, to: Array(extents), context) }
    let picked: any Operator
    let sampleAxis = try Self.axis(place, of: x.extents)
    if indices == Array(indices[0]..<indices[0] + indices.count) {
      picked = Slice(
        Slice.Range(start: indices[0], count: indices.count), axis: sampleAxis, of: network.nodes[x.index].shape)
    } else {
      picked = Gather(axis: sampleAxis, indices: indices)
    }
    let node = try add(picked, context, reading: [x.index])
    bind(context.node.outputs[0], to: try reshaped(node, to: Array(extents), context), Array(extents))
  }

  private mutating func pad(_ context: NodeContext) throws(GraphError) {
    let x = try node(context.node.inputs[0])
    guard context.text("mode", "constant") == "constant" else { throw GraphError("mode \(context.text("mode", ""))") }
    let given = context.has(1) ? try integers(context.node.inputs[1]) : context.integers("pads") ?? []
    let axes =
      context.has(3)
      ? try integers(context.node.inputs[3]).map { $0 < 0 ? $0 + x.extents.count : $0 } : Array(x.extents.indices)
    var value: Float = context.float("value", 0)
    if context.has(2) {
      guard let number = number(context.node.inputs[2]) else { throw GraphError("a value that is computed") }
      value = number
    }
    guard given.count == 2 * axes.count, given.allSatisfy({ (0..<1 << 20).contains($0) }),
      axes.allSatisfy(x.extents.indices.contains)
    else {
      throw GraphError("padding \(given) along axes \(axes)")
    }
    var before = Array(repeating: 0, count: x.extents.count)
    var after = before
    for (index, axis) in axes.enumerated() {
      before[axis] = given[index]
      after[axis] = given[axes.count + index]
    }
    let extents = x.extents.indices.map { x.extents[$0] + before[$0] + after[$0] }
    let skipped = x.extents.first == 1 ? 1 : 0
    guard skipped == 0 || before[0] + after[0] == 0 else { throw GraphError("it works along the batch axis") }
    try emit(
      Pad(before: Array(before[skipped...]), after: Array(after[skipped...]), value: value), context,
      reading: [x.index],
      extents: extents)
  }

  private mutating func reduce(_ context: NodeContext, isMean: Bool) throws(GraphError) {
    let x = try node(context.node.inputs[0])
    guard let axes = try axes(context, of: x.extents.count), !axes.isEmpty else {
      throw GraphError("over all axes, the batch's too")
    }
    let keeps = context.integer("keepdims", 1) != 0
    var sampleAxes: Set<Int> = []
    for axis in axes { sampleAxes.insert(try Self.axis(axis, of: x.extents)) }
    let extents = x.extents.indices.compactMap { axes.contains($0) ? (keeps ? 1 : nil) : x.extents[$0] }
    let shape = network.nodes[x.index].shape
    let kind: any Operator
    if isMean, shape.rank == 3, sampleAxes == [1, 2] {
      kind = GlobalAveragePool(keepsAxes: keeps)
    } else {
      kind = Reduction(sampleAxes, isMean: isMean, keepsAxes: keeps)
    }
    let node = try add(kind, context, reading: [x.index])
    bind(context.node.outputs[0], to: try reshaped(node, to: extents, context), extents)
  }
}
