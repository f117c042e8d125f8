import Formats
import Graph
import Kernels
import Operators

extension GraphReader {
  typealias Converter = @Sendable (inout GraphReader, inout NodeContext) throws(GraphError) -> Void

  /// What reads each of ONNX's operators.
  static let converters: [String: Converter] = mapConverters.merging(arithmeticConverters) { first, _ in first }
    .merging(shapeConverters) { first, _ in first }.merging(productConverters) { first, _ in first }

  /// An operator of one input and of the same shape.
  static func pointwise(_ make: @escaping @Sendable (NodeContext, GraphReader) throws(GraphError) -> any Operator)
    -> Converter
  {
    { reader, context throws(GraphError) in
      let x = try reader.node(context.node.inputs[0])
      try reader.emit(try make(context, reader), context, reading: [x.index], extents: x.extents)
    }
  }
}
