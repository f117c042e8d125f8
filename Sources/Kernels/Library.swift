import CKernels

/// What the compiled kernels are and how they run.
package enum KernelLibrary {
  /// "oneDNN 2.6.3, OpenBLAS 0.3.21"
  package static var versions: String { String(cString: ck_library_versions()) }
  /// The instruction set of the generated code: bits may depend on it.
  package static var instructionSet: String { String(cString: ck_instruction_set()) }
  /// What computes in bfloat16, "AVX512_BF16" say; nil where the processor cannot, or oneDNN would emulate it.
  package static var bfloat16Instructions: String? { ck_bfloat16_instructions().map { String(cString: $0) } }
  /// Why there are none.
  package static let bfloat16Lack = {
    #if arch(x86_64)
      "this processor has neither AVX512_BF16 nor AMX, which oneDNN needs for it"
    #else
      "oneDNN has kernels for it on x86-64 alone"
    #endif
  }()
  /// Once kernels are made: what that took and left goes back to the system.
  package static func returnSpareMemory() { ck_return_spare_memory() }
  /// Kernel threads of this process, both libraries; before the first plan is built. Bits may depend on it.
  package static func setThreads(_ threads: Int) { ck_set_threads(Int32(threads)) }
}
