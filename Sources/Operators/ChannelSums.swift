import CKernels
import Kernels

/// Sums over rows of `channels` values: the gradient of what is added to every row. In float over blocks that stay in
/// the cache, in double over the blocks.
final class ChannelSums {
  private let channels: Int
  private let element: ElementType
  private let work: Tensor
  private let sums: UnsafeMutablePointer<Double>

  init(_ channels: Int, element: ElementType = .float32) {
    self.channels = channels
    self.element = element
    work = Tensor(count: 2 * max(channels, 128))
    sums = .allocate(capacity: channels)
  }

  deinit { sums.deallocate() }

  /// Writes the sums of `rows` rows, or adds them to what is there.
  func add(_ x: UnsafeRawPointer, rows: Int, isFirst: Bool, into total: UnsafeMutablePointer<Float>) {
    sums.update(repeating: 0, count: channels)
    ck_add_channel_sums(element.code, x, rows, Int32(channels), sums, work.pointer)
    for channel in 0..<channels { total[channel] = (isFirst ? 0 : total[channel]) + Float(sums[channel]) }
  }
}
