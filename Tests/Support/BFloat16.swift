import Kernels
import Testing

extension Trait where Self == ConditionTrait {
  /// A test that computes in bfloat16, for which some processors have instructions.
  package static var bfloat16: Self {
    .enabled(if: KernelLibrary.bfloat16Instructions != nil, Comment(rawValue: KernelLibrary.bfloat16Lack))
  }
}
