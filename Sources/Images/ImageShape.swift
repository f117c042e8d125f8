/// The size of one image.
package struct ImageShape: Hashable, Sendable, CustomStringConvertible {
  package let channels: Int
  package let height: Int
  package let width: Int

  package init(channels: Int, height: Int, width: Int) {
    self.channels = channels
    self.height = height
    self.width = width
  }

  /// Bytes, or elements, of one image.
  package var count: Int { channels * height * width }

  package var description: String { "\(channels)x\(height)x\(width)" }
}
