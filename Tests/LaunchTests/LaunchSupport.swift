import Foundation
import TestSupport

/// A copy of launch/ in a package of its own, with a PATH that holds this system's programs but those left out, and
/// stand-ins: so that what the scripts do without Swift, or with an old Open MPI, shows on any machine.
struct LaunchTree {
  let folder: TemporaryDirectory
  private let programs: String

  /// `swift` and `clang` are stand-ins, or missing where `leavingOut` names them; `programs` are shell scripts.
  init(leavingOut missing: Set<String> = [], programs replaced: [String: String] = [:]) throws {
    folder = try TemporaryDirectory()
    programs = folder.path("programs")
    let files = FileManager.default
    try files.createDirectory(atPath: programs, withIntermediateDirectories: true)
    try files.copyItem(atPath: PackageRoot.path + "/launch", toPath: folder.path("launch"))
    try folder.write("// a package\n", to: "Package.swift")
    try folder.write("let one = 1\n", to: "Sources/icp/One.swift")
    try folder.write("model:\n  kind: resnet8\n", to: "configs/quickstart.yaml")

    var standIns = ["swift": Self.swift, "clang": "exit 0"]
    if !Ranks.areStarted { standIns["mpirun"] = Self.noRanks }
    standIns.merge(replaced) { $1 }
    for (name, script) in standIns where !missing.contains(name) {
      try folder.write("#!/bin/bash\n" + script + "\n", to: "programs/" + name, executable: true)
    }
    for name in try files.contentsOfDirectory(atPath: "/usr/bin")
    where standIns[name] == nil && !missing.contains(name) {
      try files.createSymbolicLink(atPath: programs + "/" + name, withDestinationPath: "/usr/bin/" + name)
    }
  }

  /// `plan`: shell that the stand-in for icp runs in each rank; it may set STATUS.
  func run(
    _ script: String, _ arguments: [String] = [], environment: [String: String] = [:], plan: String? = nil
  ) throws -> Program.Outcome {
    var own = ["PATH": programs, "HOME": folder.path, "ICP_SWIFT_FOLDERS": "", "CPATH": ""]
    if let plan {
      try folder.write(plan, to: "plan")
      own["PLAN"] = "yes"
    }
    return try Program.run(
      executable: "/bin/bash", [folder.path("launch/" + script)] + arguments,
      environment: own.merging(environment) { $1 }, timeLimit: 60, workingDirectory: folder.path)
  }

  /// How often the stand-in for Swift built.
  var builds: Int { lines(of: "builds").count }

  func lines(of name: String) -> [String] {
    let contents = FileManager.default.contents(atPath: folder.path(name)) ?? Data()
    return String(decoding: contents, as: UTF8.self).split(separator: "\n").map(String.init)
  }

  /// For a test that starts ranks and does not say so.
  private static let noRanks = #"""
    [[ $1 != --version ]] || exec /usr/bin/mpirun --version
    echo 'this test starts ranks, and does not say so: give it the trait .ranks' >&2
    exit 64
    """#

  /// Builds an `icp` that says how it was started, and ends with the status its last argument names.
  private static let swift = #"""
    case $1 in
    --version) echo 'Swift version 6.2.1 (swift-6.2.1-RELEASE)' ;;
    build)
      echo built >>builds
      echo 'compiling noisily'
      mkdir -p .build/release
      cat >.build/release/icp <<'ICP'
    #!/bin/bash
    echo "rank $OMPI_COMM_WORLD_RANK of $OMPI_COMM_WORLD_SIZE, threads $OMP_NUM_THREADS, input $(wc -c): $*"
    if [[ ${PLAN-} ]]; then source "$HOME/plan"; fi
    exit "${STATUS:-0}"
    ICP
      chmod +x .build/release/icp
      ;;
    esac
    """#
}
