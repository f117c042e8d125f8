import Kernels

/// What computes one node for batches of one size: plans and memory of its own are made in `init`, and a pass allocates
/// nothing. One kernel may serve several networks in turn, so nothing of a forward pass stays in it for the backward
/// pass, but for a `StatisticsKernel`'s statistics.
package protocol Kernel: AnyObject {
  /// Packs what it wants to read in an order of its own; `parameters` stay as they are until the next call.
  func load(_ parameters: UnsafePointer<Float>)
  /// y from x, of the elements that its `KernelContext` says.
  func forward(_ arguments: borrowing Arguments)
  /// dx from dy, for the inputs that want it (dx[i] is nil for the others), and the gradients of the parameters where
  /// `gradients` is given: written where the piece `isFirst`, added to otherwise; or kept until `writeGradients`.
  func backward(_ arguments: borrowing Arguments)
  /// Hands over the parameters' gradients that `backward` kept, since the piece that `beganSum`.
  func writeGradients(into gradients: UnsafeMutablePointer<Float>, adding: Bool)
}

extension Kernel {
  package func load(_ parameters: UnsafePointer<Float>) {}
  package func writeGradients(into gradients: UnsafeMutablePointer<Float>, adding: Bool) {}
}
