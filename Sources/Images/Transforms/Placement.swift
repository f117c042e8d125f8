import Kernels

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
