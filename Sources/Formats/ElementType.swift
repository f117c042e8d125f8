/// The element types of safetensors, in the order of their alignment, by which the format's writer sorts.
package enum ElementType: String, CaseIterable, Sendable {
  case bool = "BOOL"
  case float4 = "F4"
  case float6E2M3 = "F6_E2M3"
  case float6E3M2 = "F6_E3M2"
  case uint8 = "U8"
  case int8 = "I8"
  case float8E5M2 = "F8_E5M2"
  case float8E4M3 = "F8_E4M3"
  case float8E8M0 = "F8_E8M0"
  case int16 = "I16"
  case uint16 = "U16"
  case float16 = "F16"
  case bfloat16 = "BF16"
  case int32 = "I32"
  case uint32 = "U32"
  case float32 = "F32"
  case complex64 = "C64"
  case float64 = "F64"
  case int64 = "I64"
  case uint64 = "U64"

  /// Bits an element; below 8 the elements are packed without gaps.
  package var bits: Int {
    switch self {
    case .float4: 4
    case .float6E2M3, .float6E3M2: 6
    case .bool, .uint8, .int8, .float8E5M2, .float8E4M3, .float8E8M0: 8
    case .int16, .uint16, .float16, .bfloat16: 16
    case .int32, .uint32, .float32: 32
    case .complex64, .float64, .int64, .uint64: 64
    }
  }

  /// Bytes of a tensor of this type: nil where the product overflows or ends inside a byte.
  /// The product is taken in the shape's order, as the Rust implementation does.
  package func byteCount(shape: [Int]) -> Int? {
    var product = 1
    for factor in shape + [bits] {
      let (partial, overflow) = product.multipliedReportingOverflow(by: factor)
      guard !overflow, factor >= 0 else { return nil }
      product = partial
    }
    return product % 8 == 0 ? product / 8 : nil
  }
}
