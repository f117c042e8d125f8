/// One entry of a safetensors header. `range` counts bytes from the start of the buffer, which follows the header.
package struct TensorInfo: Sendable, Equatable {
  package let name: String
  package let type: ElementType
  package let shape: [Int]
  package let range: Range<Int>

  /// The number of elements.
  package var count: Int { shape.reduce(1, *) }
}
