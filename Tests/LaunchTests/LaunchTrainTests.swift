import Foundation
import TestSupport
import Testing

@Suite struct `launch/setup` {
  @Test(
    .long,
    arguments: [
      Lack(leavingOut: ["swift"], says: "Swift is missing: install 6.2 or newer"),
      Lack(
        programs: ["swift": "echo 'Swift version 6.1.3 (swift-6.1.3-RELEASE)'"],
        says: "Swift 6.1 is too old: install 6.2"),
      Lack(
        programs: ["mpirun": "echo 'mpirun (Open MPI) 3.1.6'"],
        says: "Open MPI 3.1 is too old: install 4.0 or newer"),
      Lack(
        programs: ["mpirun": "echo 'HYDRA build details: Version: 3.4.1'"],
        says: "MPICH 3.4 is too old: install 4.0 or newer"),
      Lack(
        programs: ["mpirun": "echo 'mpirun of nobody'"],
        says: "is of no MPI that has been tried: put Open MPI 4.0"),
      Lack(leavingOut: ["clang"], says: "no C compiler: install"),
      Lack(leavingOut: ["mpirun", "apt-get"], says: "no apt-get here: install what Debian calls openmpi-bin,"),
    ])
  func `says in one line what is missing and what to do`(lack: Lack) throws {
    let tree = try LaunchTree(leavingOut: lack.leavingOut, programs: lack.programs)
    let outcome = try tree.run("setup")
    #expect(outcome.status == 1)
    #expect(outcome.standardOutput == "")
    #expect(outcome.standardError.contains(lack.says))
    #expect(outcome.standardError.split(separator: "\n").count == 1)
    #expect(tree.builds == 0)
  }

  @Test func `installs only what is missing, and says so first`() throws {
    let tree = try LaunchTree(programs: [
      "pkg-config": #"[[ $2 != ompi-c ]]"#,
      "apt-get": #"echo "$DEBIAN_FRONTEND: $*" >>"$HOME/installs""#,
      "sudo": #"exec "$@""#,
    ])
    let outcome = try tree.run("setup")
    #expect(outcome.status == 0)
    #expect(outcome.standardOutput.hasPrefix("launch/setup: installing with apt-get: libopenmpi-dev\n"))
    #expect(
      tree.lines(of: "installs") == [
        "noninteractive: update -q", "noninteractive: install -q -y --no-install-recommends libopenmpi-dev",
      ])
  }

  @Test func `builds again only after something changed`() throws {
    let tree = try LaunchTree()
    let first = try tree.run("setup")
    #expect(first.status == 0)
    #expect(first.standardOutput.contains("building .build/release/icp"))
    #expect(!first.standardOutput.contains("noisily"))

    let second = try tree.run("setup")
    #expect(second.standardOutput == "" && second.status == 0)
    #expect(tree.builds == 1)

    try tree.folder.write("let two = 2\n", to: "Sources/icp/Two.swift")
    _ = try tree.run("setup")
    #expect(tree.builds == 2)
    try FileManager.default.removeItem(atPath: tree.folder.path("Sources/icp/Two.swift"))
    _ = try tree.run("setup")
    #expect(tree.builds == 3)
    try FileManager.default.removeItem(atPath: tree.folder.path(".build/release/icp"))
    _ = try tree.run("setup")
    #expect(tree.builds == 4)
  }

  @Test func `shows what the compiler said when it fails, and tries again the next time`() throws {
    let tree = try LaunchTree(programs: [
      "swift":
        "[[ $1 == build ]] || { echo 'Swift version 6.3'; exit; }; echo built >>builds; echo 'error: no'; exit 1"
    ])
    for attempt in 1...2 {
      let outcome = try tree.run("setup")
      #expect(outcome.status == 1)
      #expect(outcome.standardError.hasPrefix("error: no\n"))
      #expect(tree.builds == attempt)
    }
  }
}

/// What a machine lacks, and what launch/setup says then.
struct Lack: Sendable, CustomTestStringConvertible {
  var leavingOut: Set<String> = []
  var programs: [String: String] = [:]
  let says: String
  var testDescription: String { says }
}

@Suite struct `launch/train` {
  @Test(.ranks) func `starts every rank on one thread, with its arguments and without input`() throws {
    let tree = try LaunchTree()
    let outcome = try tree.run("train", ["-n", "3", "--", "--set", "training.epochs=2"])
    #expect(outcome.status == 0)
    let ranks = outcome.standardOutput.split(separator: "\n").filter { $0.hasPrefix("rank") }.sorted()
    let configuration = tree.folder.path("configs/quickstart.yaml")
    #expect(
      ranks
        == (0..<3).map {
          "rank \($0) of 3, threads 1, input 0: train \(configuration) --set training.epochs=2"
        })
  }

  @Test(.ranks) func `takes two to four ranks where none is named, and a thread count you set`() throws {
    let tree = try LaunchTree()
    let outcome = try tree.run("train", environment: ["OMP_NUM_THREADS": "7"])
    let ranks = outcome.standardOutput.split(separator: "\n").filter { $0.hasPrefix("rank") }
    #expect((2...4).contains(ranks.count))
    #expect(ranks.allSatisfy { $0.contains("of \(ranks.count), threads 7") })
  }

  @Test(.ranks) func `--sweep starts a study, on every core`() throws {
    let tree = try LaunchTree()
    try tree.folder.write("variants: {plain: {}}", to: "s.yaml")
    let outcome = try tree.run("train", ["--sweep", "s.yaml", "--", "--directory", "d"])
    let ranks = outcome.standardOutput.split(separator: "\n").filter { $0.hasPrefix("rank") }
    #expect(ranks.count >= 1 && ranks.allSatisfy { $0.hasSuffix(": sweep s.yaml --directory d") }, "\(ranks)")
    try tree.run("train", ["a.yaml", "--sweep", "s.yaml"]).expect(
      64, "two configurations, a.yaml and s.yaml: one job has one")
  }

  @Test(.ranks) func `ends with the status of icp`() throws {
    let outcome = try LaunchTree().run("train", ["-n", "2"], environment: ["STATUS": "65"])
    #expect(outcome.status == 65)
  }

  @Test func `refuses a wrong command line before it builds`() throws {
    let tree = try LaunchTree()
    for (arguments, says) in [
      (["-n", "0"], "-n 0: the number of ranks is a whole number, 1 or more"),
      (["-n"], "-n needs a value"),
      (["--epochs", "3"], "unknown option --epochs: arguments for icp train go after --"),
      (["missing.yaml"], "cannot read the configuration missing.yaml"),
    ] {
      let outcome = try tree.run("train", arguments)
      #expect(outcome.status == 64)
      #expect(outcome.standardError.contains(says))
    }
    #expect(tree.builds == 0)
  }

  @Test func `explains itself`() throws {
    let outcome = try Program.run(executable: PackageRoot.path + "/launch/train", ["--help"])
    #expect(outcome.status == 0)
    #expect(outcome.standardOutput.hasPrefix("launch/train [CONFIG] [OPTIONS] [-- MORE]: "))
    #expect(outcome.standardOutput.contains("--resume auto"))
  }
}

@Suite struct `launch/check` {
  private let script = PackageRoot.path + "/launch/check"

  @Test func `passes on this tree`() throws {
    let outcome = try Program.run(executable: script)
    #expect(outcome.status == 0, "\(outcome.standardError)")
    #expect(
      outcome.standardOutput
        == "launch/check: sources are formatted, imports point down, targets are small, nothing switches on kinds\n")
  }

  @Test func `finds an upward import, however it is written`() throws {
    let tree = try TemporaryDirectory()
    try tree.write("import Foundation\nimport CKernels\n", to: "Sources/Kernels/Fine.swift")
    try tree.write("import Kernels\n@preconcurrency import MPI\n", to: "Sources/Models/Upward.swift")
    try tree.write("\npackage import struct Training.Trainer\n", to: "Sources/Datasets/Deep/Upward.swift")
    try tree.write("import Foundation\n", to: "Sources/Extras/Unknown.swift")
    try tree.write("let one = 1\n", to: "Sources/Silent/Importless.swift")
    let outcome = try Program.run(executable: script, [tree.path])
    #expect(outcome.status == 1)
    let found = outcome.standardError.split(separator: "\n").filter {
      $0.contains("must not") || $0.contains("table")
    }
    #expect(
      found == [
        "Sources/Datasets/Deep/Upward.swift:2: Datasets must not import Training",
        "Sources/Extras/Unknown.swift:1: target Extras is not in the table of launch/check",
        "Sources/Models/Upward.swift:2: Models must not import MPI",
        "Sources/Silent/Importless.swift:1: target Silent is not in the table of launch/check",
      ])
  }

  @Test(.long) func `finds a target that is too large`() throws {
    let tree = try TemporaryDirectory()
    try tree.write(String(repeating: "// A line.\n", count: 3001), to: "Sources/Kernels/Long.swift")
    let outcome = try Program.run(executable: script, [tree.path])
    #expect(outcome.status == 1)
    #expect(outcome.standardError.contains("Sources/Kernels/: 3001 lines, at most 3000: cut the target"))
    #expect(outcome.standardError.contains("not clean: sizes"))
  }

  @Test func `finds what asks which operator or network it is`() throws {
    let tree = try TemporaryDirectory()
    try tree.write("if node.operator is Convolution {}\n", to: "Sources/Execution/Bad.swift")
    try tree.write("guard let dense = step.operator as? Dense else {}\n", to: "Sources/Execution/Fusions/Fine.swift")
    try tree.write("switch node.operator {\n}\nswitch node.operator.scope {\n}\n", to: "Sources/Planning/Bad.swift")
    try tree.write("switch kind {\ncase .resnet20, .mlp: break\n}\n", to: "Sources/Method/Bad.swift")
    let outcome = try Program.run(executable: script, [tree.path])
    #expect(outcome.status == 1)
    let found = outcome.standardError.split(separator: "\n").filter { $0.hasPrefix("Sources/") && $0.contains("Bad") }
    let places = Set(
      found.compactMap { $0.contains("[") ? nil : $0.split(separator: ":").prefix(2).joined(separator: ":") })
    #expect(places == ["Sources/Execution/Bad.swift:1", "Sources/Planning/Bad.swift:1", "Sources/Method/Bad.swift:2"])
    #expect(outcome.standardError.contains("kinds"))
  }

  @Test func `finds a comment that is too wide`() throws {
    let tree = try TemporaryDirectory()
    try tree.write("  /// " + String(repeating: "wide ", count: 24) + "\n", to: "Sources/Kernels/Wide.swift")
    let outcome = try Program.run(executable: script, [tree.path])
    #expect(outcome.status == 1)
    #expect(outcome.standardError.contains("Sources/Kernels/Wide.swift:1: a comment of 126 columns, at most 120"))
  }

  @Test func `finds a file that is not formatted`() throws {
    let tree = try TemporaryDirectory()
    try tree.write("let  one=1\n", to: "Sources/icp/One.swift")
    let outcome = try Program.run(executable: script, [tree.path])
    #expect(outcome.status == 1)
    #expect(outcome.standardError.contains("not clean: format"))
  }
}
