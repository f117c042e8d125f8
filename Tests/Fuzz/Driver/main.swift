import CFuzzer
import FuzzTargets
import Glibc

/// One target under libFuzzer: `icp-fuzz TARGET` and then libFuzzer's own arguments. Started by launch/fuzz.

guard target != nil else {
  print("icp-fuzz TARGET [ARGUMENTS]; targets: \(FuzzTarget.allCases.map(\.rawValue).joined(separator: " "))")
  exit(64)
}
var count = CommandLine.argc - 1
// The program's name again, in the place of the target's.
CommandLine.unsafeArgv[1] = CommandLine.unsafeArgv[0]
var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv + 1
exit(LLVMFuzzerRunDriver(&count, &arguments, testOneInput))
