import CMPI
import Runtime

/// A call of the MPI library that failed: which one, its code, and the library's own words for it.
package struct MPIError: ExitCoded, CustomStringConvertible {
  /// The C function, as in `MPI_Allreduce`.
  package let call: String
  /// What it returned; never `MPI_SUCCESS`.
  package let code: Int32
  /// The library's text for `code` (`MPI_Error_string`).
  package let text: String
  /// What kind it is: a code is the library's own (`MPI_Error_class`).
  private let errorClass: Int32
  package var exitCode: Int32 { isOfDifferentLengths ? ExitCode.ranksDisagree : ExitCode.temporary }

  init(call: StaticString, code: Int32) {
    self.call = "\(call)"
    self.code = code
    self.text = Self.text(of: code)
    var kind = code
    if World.isRunning { MPI_Error_class(code, &kind) }
    errorClass = kind
  }

  /// Whether ranks sent messages of different lengths where one was expected.
  package var isOfDifferentLengths: Bool { errorClass == Int32(MPI_ERR_TRUNCATE) }

  package var description: String { "\(call) failed: \(text) (code \(code))" }

  /// Outside Init..Finalize the library may not be asked for a text.
  private static func text(of code: Int32) -> String {
    guard World.isRunning else { return "no text, MPI is not running" }
    let text = string(capacity: Int(MPI_MAX_ERROR_STRING)) { MPI_Error_string(code, $0, $1) } ?? "unknown error"
    return text.split(whereSeparator: \.isNewline).joined(separator: " ")  // MPICH adds a stack of calls
  }
}

/// The one funnel: every MPI call goes through here, so that none fails unseen and an error names its call.
@inline(__always)
package func check(_ call: StaticString, _ code: Int32) throws(MPIError) {
  guard code == MPI_SUCCESS else { throw MPIError(call: call, code: code) }
}

/// The text a C function writes into a buffer of `capacity` characters, or nil where it fails.
func string(
  capacity: Int, _ fill: (UnsafeMutablePointer<CChar>, UnsafeMutablePointer<Int32>) -> Int32
) -> String? {
  withUnsafeTemporaryAllocation(of: CChar.self, capacity: capacity + 1) { buffer in
    var length: Int32 = 0
    guard let start = buffer.baseAddress, fill(start, &length) == MPI_SUCCESS else { return nil }
    return String(decoding: UnsafeRawBufferPointer(start: start, count: Int(length)), as: UTF8.self)
  }
}
