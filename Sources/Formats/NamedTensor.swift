/// A tensor by name, row-major: what a checkpoint is made of.
package struct NamedTensor: Sendable, Equatable {
  package enum Values: Sendable, Equatable {
    case floats([Float])
    case integers([Int64])
  }

  package let name: String
  package let shape: [Int]
  package let values: Values

  package init(_ name: String, shape: [Int], floats: [Float]) {
    precondition(shape.reduce(1, *) == floats.count, "\(name): \(floats.count) values for shape \(shape)")
    self.name = name
    self.shape = shape
    values = .floats(floats)
  }

  package init(_ name: String, shape: [Int], integers: [Int64]) {
    precondition(shape.reduce(1, *) == integers.count, "\(name): \(integers.count) values for shape \(shape)")
    self.name = name
    self.shape = shape
    values = .integers(integers)
  }

  /// The same values under another name.
  package func renamed(_ name: String) -> NamedTensor {
    switch values {
    case .floats(let floats): NamedTensor(name, shape: shape, floats: floats)
    case .integers(let integers): NamedTensor(name, shape: shape, integers: integers)
    }
  }

  package var floats: [Float]? { if case .floats(let values) = values { values } else { nil } }
  package var integers: [Int64]? { if case .integers(let values) = values { values } else { nil } }
  package var type: ElementType { if case .floats = values { .float32 } else { .int64 } }

  /// The bytes as they stand in a file; the format and every machine we run on are little-endian.
  package func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    switch values {
    case .floats(let values): try values.withUnsafeBytes(body)
    case .integers(let values): try values.withUnsafeBytes(body)
    }
  }
}
