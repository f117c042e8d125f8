import Files
import Foundation

/// A tensor of an ONNX file: its values stay in the file until they are asked for.
package struct ONNXTensor: @unchecked Sendable {
  package enum Element: Int, Sendable {
    case float32 = 1, int32 = 6, int64 = 7, bool = 9, float16 = 10, float64 = 11, bfloat16 = 16

    var bytes: Int {
      switch self {
      case .bool: 1
      case .float16, .bfloat16: 2
      case .float32, .int32: 4
      case .int64, .float64: 8
      }
    }
  }

  package var name: String
  package var shape: [Int]
  package var element: Element
  var storage: Storage
  /// Keeps the bytes mapped.
  var file: MappedFile?

  enum Storage {
    case raw(UnsafeRawBufferPointer)
    case floats([Float])
    case integers([Int])
  }

  package init(name: String, shape: [Int], floats: [Float]) {
    self.init(name: name, shape: shape, element: .float32, storage: .floats(floats), file: nil)
  }

  package init(name: String, shape: [Int], integers: [Int]) {
    self.init(name: name, shape: shape, element: .int64, storage: .integers(integers), file: nil)
  }

  /// A constant that has no name.
  package init(constant values: [Float], shape: [Int]) {
    self.init(name: "", shape: shape, element: .float32, storage: .floats(values), file: nil)
  }

  init(name: String, shape: [Int], element: Element, storage: Storage, file: MappedFile?) {
    self.name = name
    self.shape = shape
    self.element = element
    self.storage = storage
    self.file = file
  }

  package var count: Int { shape.reduce(1, *) }
  package var isFloat: Bool {
    switch element {
    case .float32, .float16, .bfloat16, .float64: true
    case .int32, .int64, .bool: false
    }
  }

  package func floats() -> [Float] {
    switch storage {
    case .floats(let values): return values
    case .integers(let values): return values.map(Float.init)
    case .raw(let bytes):
      func load<Value>(_ index: Int, _ type: Value.Type) -> Value {
        bytes.loadUnaligned(fromByteOffset: index * MemoryLayout<Value>.size, as: Value.self)
      }
      return (0..<count).map { index in
        switch element {
        case .float32: Float(bitPattern: UInt32(littleEndian: load(index, UInt32.self)))
        case .float64: Float(Double(bitPattern: UInt64(littleEndian: load(index, UInt64.self))))
        case .bfloat16: Float(bitPattern: UInt32(UInt16(littleEndian: load(index, UInt16.self))) << 16)
        case .float16: Self.half(UInt16(littleEndian: load(index, UInt16.self)))
        case .int32: Float(Int32(littleEndian: load(index, Int32.self)))
        case .int64: Float(Int64(littleEndian: load(index, Int64.self)))
        case .bool: load(index, UInt8.self) == 0 ? 0 : 1
        }
      }
    }
  }

  /// IEEE's 16 bits, of which not every platform has a type.
  private static func half(_ bits: UInt16) -> Float {
    let sign: Float = bits & 0x8000 == 0 ? 1 : -1
    let exponent = Int(bits >> 10 & 0x1f)
    let fraction = Float(bits & 0x3ff)
    switch exponent {
    case 0: return sign * fraction * 0x1p-24
    case 31: return fraction == 0 ? sign * .infinity : .nan
    default: return sign * Float(sign: .plus, exponent: exponent - 15, significand: 1 + fraction / 1024)
    }
  }

  package func integers() -> [Int] {
    switch storage {
    case .integers(let values): return values
    case .floats(let values): return values.map { $0.isFinite && abs($0) < 1e18 ? Int($0) : 0 }
    case .raw(let bytes):
      return (0..<count).map { index in
        switch element {
        case .int32: Int(Int32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * index, as: Int32.self)))
        case .int64: Int(Int64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8 * index, as: Int64.self)))
        case .bool: bytes[index] == 0 ? 0 : 1
        default: 0
        }
      }
    }
  }
}
