/// The shortcut of a residual block that changes the shape: a strided 1x1 convolution with BatchNorm, or subsampling
/// and zero channels (He et al. 2015, options B and A).
public enum Shortcut: String, CaseIterable, Sendable {
  case projection, pad
}
