import Runtime

/// A refinement of `icp perturb` that led to numbers that are not finite.
struct PerturbationError: ExitCoded, CustomStringConvertible {
  let description: String
  var exitCode: Int32 { ExitCode.notFinite }
}
