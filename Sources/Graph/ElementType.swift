/// What a value's elements are in memory.
package enum ElementType: String, Sendable, CaseIterable {
  case float32

  package var bytes: Int {
    switch self {
    case .float32: 4
    }
  }
}
