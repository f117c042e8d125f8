import Glibc
import Runtime

/// What should have been written is not, and what was there before still is.
package struct SaveError: ExitCoded, CustomStringConvertible {
  package let path: String
  package let reason: String
  /// What the user can do, where errno tells.
  package let advice: String
  /// EX_IOERR; EX_USAGE where the place that was named cannot be meant.
  package let exitCode: Int32

  package init(path: String, reason: String, advice: String, exitCode: Int32 = 74) {
    self.path = path
    self.reason = reason
    self.advice = advice
    self.exitCode = exitCode
  }

  /// `option`: the one by which the user chose the place.
  package init(_ error: SystemError, option: String = "--run-dir") {
    let advice =
      switch error.code {
      case ENOSPC, EDQUOT: "free some space there, or choose another place with \(option)"
      case EACCES, EPERM, EROFS: "choose a directory that you may write to with \(option)"
      case ENOTDIR, EEXIST, ELOOP:
        "something else is in that place; choose another with \(option)"
      case ENOENT: "the directory is gone; was it removed during the run?"
      case EFBIG: "the limit on file sizes is too low; raise it with `ulimit -f`"
      case EMFILE, ENFILE: "too many files are open; raise the limit with `ulimit -n`"
      default: "look at that disk and at the system's log"
      }
    self.init(path: error.path, reason: error.reason, advice: advice)
  }

  package var description: String { "\(path): \(reason); \(advice)" }
}
