/// The two implementations of the convolution: oneDNN, and im2col with OpenBLAS's sgemm.
public enum ConvolutionBackend: String, CaseIterable, Sendable {
  case onednn, openblas
}
