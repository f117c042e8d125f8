/// What a kernel or a network takes, or would take, in bytes; in floating point, since a configuration may ask for more
/// than an integer holds.
package struct MemoryUse: Sendable {
  /// Its own: values, packed weights, sums, generated code.
  package var own: Double
  /// Of the `Scratch` that kernels which run in turn share.
  package var scratch: Double

  package init(own: Double = 0, scratch: Double = 0) {
    self.own = own
    self.scratch = scratch
  }

  package var total: Double { own + scratch }

  /// Of both, which share one scratch.
  package static func + (one: MemoryUse, other: MemoryUse) -> MemoryUse {
    MemoryUse(own: one.own + other.own, scratch: max(one.scratch, other.scratch))
  }
}
