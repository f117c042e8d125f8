import CKernels

/// What the compiled kernels are and how they run.
package enum KernelLibrary {
  /// "oneDNN 2.6.3, OpenBLAS 0.3.21"
  package static var versions: String { String(cString: ck_library_versions()) }
  /// The instruction set of the generated code: bits may depend on it.
  package static var instructionSet: String { String(cString: ck_instruction_set()) }
  /// Kernel threads of this process, both libraries; before the first plan is built. Bits may depend on it.
  package static func setThreads(_ threads: Int) { ck_set_threads(Int32(threads)) }
}
