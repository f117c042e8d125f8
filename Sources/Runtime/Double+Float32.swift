extension Double {
  /// Whether float32, in which networks compute, keeps it: 0 as 0, any other number as one that is neither 0, nor so
  /// small that kernels may take it for 0, nor infinite.
  package var isKeptByFloat32: Bool { self == 0 || Float(self).isNormal }
}
