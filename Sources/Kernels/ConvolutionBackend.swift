/// The two implementations of convolutions and dense layers: oneDNN and loops of ours, and OpenBLAS's sgemm (with
/// im2col).
public enum ConvolutionBackend: String, CaseIterable, Sendable {
  case onednn, openblas
}
