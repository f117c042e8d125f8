import Foundation
import TestSupport
import Testing

/// What launch/scale starts, with stand-ins for icp and mpirun.
@Suite struct `launch/scale` {
  /// As icp: notes its arguments, lists two points, and fails where `FAILS` says so.
  private static let icp = #"""
    #!/bin/bash
    [[ $1 != --version ]] || { echo 'icp 0'; exit; }
    echo "$*" >>"$HOME/started"
    case $2 in
    plan) printf 'weak 1 1\nstrong 2 1\n' ;;
    point) [[ $* != *"--series ${FAILS-none}"* ]] || exit "$STATUS" ;;
    esac
    """#

  private func run(_ arguments: [String], _ environment: [String: String] = [:]) throws -> (Program.Outcome, [String]) {
    let tree = try LaunchTree(programs: [
      "mpirun":
        #"[[ $1 != --version ]] || { echo 'mpirun (Open MPI) 4.1.4'; exit; }; echo "mpirun $1 $2" >>"$HOME/started"; shift 2; exec "$@""#
    ])
    let icp = try tree.folder.write(Self.icp, to: "icp", executable: true)
    let outcome = try tree.run(
      "scale", ["configs/quickstart.yaml"] + arguments, environment: environment.merging(["ICP_PROGRAM": icp]) { $1 })
    return (outcome, tree.lines(of: "started"))
  }

  @Test func `probes, measures what the plan lists, and reports`() throws {
    let (outcome, started) = try run(
      ["--ranks", "1,2", "--rounds", "3", "--output", "out", "--link", "10gbit", "--", "--set", "icp.steps=1"])
    #expect(outcome.status == 0, "\(outcome.standardError)")
    #expect(started[0] == "mpirun -n 2" && started[1].hasPrefix("scale probe --output out"))
    #expect(
      started.contains(
        "scale plan --ranks 1,2 --series weak --series strong --series whole --rounds 3 --seed 1 --output out"))
    let points = started.filter { $0.hasPrefix("scale point") }
    #expect(points.count == 2 && points[0].contains("--series weak --largest 2 --round 1"))
    #expect(points.allSatisfy { $0.hasSuffix("--set icp.steps=1") })
    #expect(started.last == "scale report out --link 10gbit")
  }

  @Test func `goes on after a point that may do better next time, and stops where it would not`() throws {
    let (outcome, started) = try run(["--ranks", "1,2", "--output", "out"], ["FAILS": "weak", "STATUS": "75"])
    #expect(outcome.status == 75 && started.count { $0.hasPrefix("scale point") } == 2)
    #expect(started.last?.hasPrefix("scale report") == true)
    let (refused, few) = try run(["--ranks", "1,2", "--output", "out"], ["FAILS": "weak", "STATUS": "64"])
    #expect(refused.status == 64 && few.count { $0.hasPrefix("scale point") } == 1)
  }

  @Test(arguments: [
    (["--ranks", "1,a"], "--ranks 1,a"), (["--stretch", "4"], "--stretch 4"), (["--bad"], "unknown option --bad"),
    (["--hosts", "a:2", "--ranks", "4"], "there is room for 2"),
  ])
  func `says what is wrong in one line`(arguments: [String], message: String) throws {
    let (outcome, started) = try run(arguments)
    #expect(outcome.status == 64 && outcome.standardError.contains(message), "\(outcome.standardError)")
    #expect(started.isEmpty)
  }
}
