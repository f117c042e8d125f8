import Glibc

/// What a command was asked for, on standard output: all of it arrives, or the command fails.
package enum StandardOutput {
  /// Writes `text` and the end of its line, and returns once the system has taken it.
  /// A reader that goes away (`icp compare ... | head -1`) has what it wanted: that is no error.
  package static func print(_ text: String, terminator: String = "\n") throws(SaveError) {
    signal(SIGPIPE, SIG_IGN)
    do throws(SystemError) {
      try write(Array((text + terminator).utf8))
      // Some network file systems tell of a full disk only when a descriptor is closed.
      let copy = try System().call("dup", name) { dup(STDOUT_FILENO) }
      try System().call("close", name) { close(copy) }
    } catch  where error.code == EPIPE {
      return
    } catch {
      throw SaveError(
        path: name, reason: error.reason,
        advice: "what was to be printed is not complete; free some space there, or send it elsewhere")
    }
  }

  private static let name = "standard output"

  private static func write(_ bytes: [UInt8]) throws(SystemError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      do throws(SystemError) {
        let count = try System().call("write", name) {
          rest.withUnsafeBytes { Glibc.write(STDOUT_FILENO, $0.baseAddress!, $0.count) }
        }
        rest = rest.dropFirst(count)
      } catch  where error.code == EAGAIN {
        // A terminal or a pipe that others have set not to wait.
        usleep(1000)
      }
    }
  }
}
