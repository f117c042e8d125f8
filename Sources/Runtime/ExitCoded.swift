/// An error that is ours to explain, and ends the program with a code of its own.
package protocol ExitCoded: Error {
  var exitCode: Int32 { get }
}
