import Kernels

/// Whose picture is changed: the same address draws the same numbers on any rank, in any thread, at any time.
package struct SampleAddress: Hashable, Sendable {
  package let seed: Int
  package let epoch: Int
  package let sample: Int

  package init(seed: Int, epoch: Int, sample: Int) {
    self.seed = seed
    self.epoch = epoch
    self.sample = sample
  }

  /// Each transform has a purpose of its own, so switching one off leaves what the others draw.
  func stream(_ purpose: RandomStream.Purpose) -> RandomStream {
    RandomStream(seed: seed, purpose: purpose, epoch: epoch, sample: sample)
  }
}

/// The sides of what the network reads, pixels.
package struct PixelSize: Hashable, Sendable {
  package let width: Int
  package let height: Int

  package init(width: Int, height: Int) { (self.width, self.height) = (width, height) }
}

/// Where a picture of the network's size comes to lie in its input, and what of it is taken away: decided on bytes,
/// done after normalisation, where 0 is the mean pixel.
package struct Placement: Equatable, Sendable {
  /// Rows and columns by which the picture is shifted up and left; zeros come in.
  package var rows = 0
  package var columns = 0
  /// Mirrored left to right, after the shift.
  package var flip = false
  /// Set to 0, at last.
  package var erased: [PixelBox] = []

  package init() {}
}

/// A random change of training images. Conforming is a file; being known is a line of `ImageTransforms.all`.
package protocol ImageTransform: Sendable {
  /// As configurations name it.
  static var name: String { get }
  /// What configurations may say of it, in order; the first may stand without its name.
  static var parameters: [TransformParameter] { get }
  /// `values` has the parameters' values in their order, each allowed.
  init(values: [[Double]])

  /// Whether bytes change, not only where they come to lie.
  var changesPixels: Bool { get }
  /// Whether it takes a picture of any size and gives one of `size`.
  var givesSize: Bool { get }
  func changed(_ picture: Picture, to size: PixelSize, at address: SampleAddress) -> Picture
  func place(_ placement: inout Placement, in size: PixelSize, at address: SampleAddress)
}

extension ImageTransform {
  package static var parameters: [TransformParameter] { [] }
  package var changesPixels: Bool { false }
  package var givesSize: Bool { false }
  package func changed(_ picture: Picture, to size: PixelSize, at address: SampleAddress) -> Picture { picture }
  package func place(_ placement: inout Placement, in size: PixelSize, at address: SampleAddress) {}
}
