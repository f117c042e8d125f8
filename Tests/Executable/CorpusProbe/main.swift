import CMemoryWatch
import Foundation
import FuzzTargets

/// `corpus-probe TARGET FILE...` runs a fuzz target once on each file, under the same checks, and prints a line for
/// each: what it allocated at once and in all, and the outcome. Ends with 1 where a file took more than it may.

guard CommandLine.arguments.count > 1, let target = FuzzTarget(rawValue: CommandLine.arguments[1]) else { exit(64) }
let scratch = try Scratch()
var status: Int32 = 0
// What the first run makes for ever is not the files'.
_ = target.run([], in: scratch)
for path in CommandLine.arguments.dropFirst(2) {
  let input = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
  let allowed = target.allowance(for: input)
  mw_start()
  let outcome = target.run(input, in: scratch)
  let taken = mw_stop()
  let tooMuch = Int(taken.largest) > allowed.largest || Int(taken.peak) > allowed.peak
  if tooMuch { status = 1 }
  let name = URL(fileURLWithPath: path).lastPathComponent
  let note = tooMuch ? "TOO MUCH, allowed \(allowed); " : ""
  let line = "\(outcome)".replacing("\n", with: " ")
  // At once: the next file may end the program.
  FileHandle.standardOutput.write(
    Data("\(name) \(input.count) \(taken.largest) \(taken.peak) \(note)\(line)\n".utf8))
}
exit(status)
