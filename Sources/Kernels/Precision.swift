/// What a configuration asks of the numbers between layers.
public enum Precision: String, CaseIterable, Sendable {
  case float32, bfloat16
  /// bfloat16 where the processor computes in it, float32 elsewhere.
  case auto

  /// What it comes to on this processor. OpenBLAS knows float32 alone.
  package func element(_ backend: ConvolutionBackend) -> ElementType {
    switch self {
    case .float32: .float32
    case .bfloat16: .bfloat16
    case .auto: backend == .onednn && KernelLibrary.bfloat16Instructions != nil ? .bfloat16 : .float32
    }
  }
}
