import FuzzTargets
import Glibc

/// One target under libFuzzer: `icp-fuzz TARGET` and then libFuzzer's own arguments. Started by launch/fuzz.

guard target != nil else {
  print("icp-fuzz TARGET [ARGUMENTS]; targets: \(FuzzTarget.allCases.map(\.rawValue).joined(separator: " "))")
  exit(64)
}
exit(runFuzzer())
