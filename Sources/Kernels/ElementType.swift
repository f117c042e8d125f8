import CKernels

/// What a value's elements are in memory. Whatever they are, sums and coefficients are float32.
public enum ElementType: String, Sendable, CaseIterable {
  case float32
  /// A float32's sign, exponent and first seven bits of fraction.
  case bfloat16

  package var bytes: Int {
    switch self {
    case .float32: 4
    case .bfloat16: 2
    }
  }

  package var code: ck_element {
    switch self {
    case .float32: CK_FLOAT32
    case .bfloat16: CK_BFLOAT16
    }
  }
}
