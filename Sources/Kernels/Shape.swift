/// The shape of a batch of feature maps, channels last: element (n, h, w, c) lies at ((n * height + h) * width + w) *
/// channels + c. A batch of vectors is (batch, 1, 1, channels).
public struct Shape: Hashable, Sendable, CustomStringConvertible {
  public var batch: Int
  public var height: Int
  public var width: Int
  public var channels: Int

  public init(batch: Int, height: Int = 1, width: Int = 1, channels: Int) {
    self.batch = batch
    self.height = height
    self.width = width
    self.channels = channels
  }

  /// Elements of one sample.
  public var sampleCount: Int { height * width * channels }
  /// Elements of the batch.
  public var count: Int { batch * sampleCount }
  /// Rows of `channels` elements.
  public var rows: Int { batch * height * width }

  public func withBatch(_ batch: Int) -> Shape {
    Shape(batch: batch, height: height, width: width, channels: channels)
  }

  public var description: String { "\(batch)x\(height)x\(width)x\(channels)" }
}
