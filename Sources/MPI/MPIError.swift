import CMPI

/// An MPI call that failed: its name, its code, and MPI's own text.
package struct MPIError: Error, CustomStringConvertible {
  package let call: String
  package let code: Int32
  package let text: String

  package var description: String { "\(call) failed with code \(code): \(text)" }
}

/// The one funnel that every MPI call goes through.
func check(_ call: StaticString, _ code: Int32) throws(MPIError) {
  guard code != MPI_SUCCESS else { return }
  var text = [CChar](repeating: 0, count: Int(MPI_MAX_ERROR_STRING) + 1)
  var length: Int32 = 0
  let known = MPI_Error_string(code, &text, &length) == MPI_SUCCESS
  let bytes = text.prefix(Int(length)).map { UInt8(bitPattern: $0) }
  throw MPIError(
    call: "\(call)", code: code, text: known ? String(decoding: bytes, as: UTF8.self) : "unknown error")
}
