import Kernels
import Runtime

extension RunConfiguration {
  /// What lies between layers in the student's passes, on this processor.
  package var trainingElement: ElementType { training.precision.element(kernels.convolution) }
  /// In the refinement and the target pass.
  package var refinementElement: ElementType { icp.precision.element(kernels.convolution) }

  private var precisions: [(key: String, precision: Precision)] {
    [("training.precision", training.precision), ("icp.precision", icp.precision)]
  }

  /// Throws where this processor cannot compute as it is told to: what it lacks.
  package func checkPrecision() throws(UsageError) {
    guard KernelLibrary.bfloat16Instructions == nil, let asked = precisions.first(where: { $0.precision == .bfloat16 })
    else { return }
    throw UsageError(
      "\(asked.key) is bfloat16, but \(KernelLibrary.bfloat16Lack): set it to auto, which takes float32 here, or to float32"
    )
  }

  /// "refinement and target pass in bfloat16 (AVX512_BF16), student in float32"; nil where everything is float32 and
  /// nothing else was asked for.
  package var precisionText: String? {
    guard precisions.contains(where: { $0.precision != .float32 }) else { return nil }
    func text(_ element: ElementType, _ precision: Precision) -> String {
      let by = element == .bfloat16 ? KernelLibrary.bfloat16Instructions : nil
      let lacks = by == nil && kernels.convolution == .onednn
      let why = precision == .auto ? "auto" + (lacks ? ": \(KernelLibrary.bfloat16Lack)" : "") : nil
      let notes = [by, why].compactMap(\.self)
      return element.rawValue + (notes.isEmpty ? "" : " (\(notes.joined(separator: ", ")))")
    }
    return "refinement and target pass in \(text(refinementElement, icp.precision)), student in "
      + text(trainingElement, training.precision)
  }

  /// What bits depend on beside versions and instruction set: bfloat16's own, where it is used.
  package var precisionIdentity: String {
    guard trainingElement == .bfloat16 || refinementElement == .bfloat16 else { return "" }
    return ", bfloat16 by \(KernelLibrary.bfloat16Instructions ?? "emulation")"
      + (precisions.contains { $0.precision == .auto }
        ? ", student \(trainingElement.rawValue), refinement \(refinementElement.rawValue)" : "")
  }
}
