import Foundation
import TestSupport
import Testing

/// With stand-ins for `icp bench` and for Python: what the script calls, how it sums up, and how it fails.
@Suite struct `launch/bench-peers` {
  /// An `icp` whose steps take 2 s with four shards and half a second otherwise, and a Python whose steps take 1 s.
  private func tree(
    icp: String = "echo '{\"step_seconds\": '$seconds', \"peak_resident_mib\": 50.5, \"kind\": \"step\"}'"
  ) throws -> LaunchTree {
    let swift = #"""
      [[ $1 == build ]] || { echo 'Swift version 6.3'; exit; }
      mkdir -p .build/release
      cat >.build/release/icp <<'ICP'
      #!/bin/bash
      [[ ${OMPI_COMM_WORLD_RANK-0} == 0 ]] || exit 0
      echo "icp, ${OMPI_COMM_WORLD_SIZE-1} ranks, threads $OMP_NUM_THREADS: $*" >>calls
      seconds=0.5
      [[ $* != *shards=4* ]] || seconds=2
      ICP
      echo "$ICP" >>.build/release/icp
      chmod +x .build/release/icp
      """#
    let python = #"""
      [[ $1 != -c ]] || exit 0
      echo "python, threads $OMP_NUM_THREADS: $*" >>calls
      echo 'noise before'
      echo '{"mode": "any", "step_seconds": 1.0, "peak_rss_mib": 202}'
      """#
    return try LaunchTree(programs: [
      "swift": "ICP='\(icp.replacing("'", with: #"'\''"#))'\n" + swift, "python3": python,
    ])
  }

  private func run(_ tree: LaunchTree, _ arguments: [String]) throws -> Program.Outcome {
    try tree.run("bench-peers", arguments, environment: ["ICP_PYTHON": tree.folder.path("programs/python3")])
  }

  @Test func `times ours and each peer in turn, and writes a row for each`() throws {
    let tree = try tree()
    let rows = tree.folder.path("rows")
    let outcome = try run(tree, ["--rounds", "2", "--repeats", "3", "--json", rows])
    #expect(outcome.status == 0, "\(outcome.standardError)")
    #expect(outcome.standardOutput.contains("lean --channels-last --compile     1.0000   0.5000    2.0000    2.00"))

    let calls = tree.lines(of: "calls")
    let own = "icp, 1 ranks, threads 1: bench step configs/bench-resnet20.yaml --json --repeats 3 --warm-up 2 --no-bare"
    let peer = "python, threads 1: launch/peer_pytorch.py --batch 128 --repeats 3 --mode"
    let batch = "--set training.batch_size=128"
    let round = [
      ("authors", "adam"), ("lean --channels-last", "adam"), ("lean --channels-last --compile", "adam"),
      ("plain --channels-last --compile", "none"),
    ]
    .flatMap { mode, rule in
      [
        "\(own) \(batch) --set training.shards=1 --set icp.rule=\(rule)", "\(peer) \(mode)",
        "\(own) \(batch) --set training.shards=4 --set icp.rule=\(rule)",
      ]
    }
    #expect(calls == round + round)

    let written = tree.lines(of: "rows")
    #expect(written.count == 4)
    let line = try #require(written.last)
    let last = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    #expect(last["peer"] as? String == "plain --channels-last --compile")
    #expect(last["icp_seconds"] as? Double == 0.5 && last["icp_4_shards_seconds"] as? Double == 2)
    #expect(last["ratio_median"] as? Double == 2 && last["ratio_min"] as? Double == 2)
    #expect(last["target"] as? Double == 1.4 && last["rounds"] as? Int == 2)
  }

  @Test func `times another network, and compares memory`() throws {
    let tree = try tree()
    let rows = tree.folder.path("rows")
    let outcome = try run(tree, ["--model", "wrn-16-4", "--rounds", "1", "--repeats", "3", "--json", rows])
    #expect(outcome.status == 0, "\(outcome.standardError)")
    #expect(
      tree.lines(of: "calls") == [
        "icp, 1 ranks, threads 1: bench step configs/bench-resnet20.yaml --json --repeats 3 --warm-up 2 --no-bare --set "
          + "data.size=32 --set training.batch_size=32 --set training.shards=1 --set icp.rule=adam --set icp.steps=2 --set "
          + "model.kind=wrn-16-4",
        "python, threads 1: launch/peer_pytorch.py --batch 32 --steps 2 --repeats 3 --mode lean --channels-last --compile "
          + "--model wrn-16-4 --size 32",
      ])
    let line = try #require(tree.lines(of: "rows").first)
    let row = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    #expect(row["model"] as? String == "wrn-16-4" && row["ratio_median"] as? Double == 2)
    #expect(row["icp_peak_mib"] as? Double == 50.5 && row["peer_peak_mib"] as? Double == 202)
    #expect(row["target"] as? Double == 1.6 && row["memory_target"] as? Double == 0.6)
  }

  @Test func `in bfloat16, times both in it`() throws {
    let tree = try tree()
    let outcome = try run(
      tree, ["--model", "wrn-16-4", "--rounds", "1", "--repeats", "3", "--precision", "bfloat16"])
    #expect(outcome.status == 0, "\(outcome.standardError)")
    let calls = tree.lines(of: "calls")
    #expect(calls.first?.hasSuffix("--set icp.precision=bfloat16 --set training.precision=bfloat16") == true)
    #expect(calls.last?.contains("--repeats 3 --precision bfloat16 --mode lean") == true)
  }

  @Test(.ranks) func `times one rank and several with the same batch a rank`() throws {
    let tree = try tree()
    let outcome = try run(tree, ["--ranks", "2", "--rounds", "1", "--repeats", "1"])
    #expect(outcome.status == 0, "\(outcome.standardError)")
    #expect(outcome.standardOutput.contains("icp          0.5000    0.5000       1.000"))
    let calls = tree.lines(of: "calls").filter { $0.hasPrefix("icp,") || $0.hasPrefix("python,") }
    try #require(calls.count == 4, "\(calls)")
    #expect(calls[0].hasSuffix("--set training.batch_size=128 --set training.shards=1"))
    #expect(calls[1].hasPrefix("icp, 2 ranks, threads 1:"))
    #expect(calls[1].hasSuffix("--set training.batch_size=256 --set training.shards=2"))
    #expect(calls[2].hasSuffix("--mode lean --channels-last"))
    #expect(calls[3].contains("-m torch.distributed.run --standalone --nproc-per-node 2"))
  }

  @Test func `says which program failed, and what it said`() throws {
    let failing = try run(try tree(icp: "echo 'icp: no such thing' >&2; exit 64"), ["--rounds", "1"])
    #expect(failing.status == 1)
    #expect(failing.standardError.hasPrefix("icp: no such thing\nlaunch/bench-peers: icp failed, see above: "))
    let silent = try run(try tree(icp: "echo nothing"), ["--rounds", "1"])
    #expect(silent.status == 1)
    #expect(silent.standardError.contains("launch/bench-peers: icp failed"))
  }

  @Test func `refuses a wrong command line before it builds`() throws {
    let tree = try LaunchTree()
    for (arguments, says) in [
      (["--rounds"], "--rounds needs a number"), (["--rounds", "many"], "--rounds many: expected a whole number"),
      (["--rounds", "0"], "--rounds 0: expected 1 or more"), (["--repeats", "0"], "--repeats 0: expected 1 or more"),
      (["--ranks", "1"], "--ranks 1: expected 2 or more"),
      (["--core", "99999"], "--core 99999: this process may use "),
      (["--model", "a b"], "--model a b: expected wrn-16-4"),
      (["--model", "resnet18", "--ranks", "2"], "--model and --ranks: expected one of them"),
      (["--precision"], "--precision needs float32 or bfloat16"),
      (["--precision", "half"], "--precision half: expected float32 or bfloat16"),
      (["--json"], "--json needs a file"), (["--json", "/nowhere/rows"], "--json /nowhere/rows: cannot write there"),
      (["authors"], "unknown argument authors"),
    ] {
      let outcome = try tree.run("bench-peers", arguments)
      #expect(outcome.status == 64)
      #expect(outcome.standardError.hasPrefix("launch/bench-peers: \(says)"), "\(outcome.standardError)")
    }
    #expect(tree.builds == 0)
  }

  @Test func `explains itself`() throws {
    let outcome = try Program.run(executable: PackageRoot.path + "/launch/bench-peers", ["--help"])
    #expect(outcome.status == 0)
    #expect(
      outcome.standardOutput.hasPrefix("launch/bench-peers [OPTIONS]: times a step, ours and PyTorch's, in turn."))
    #expect(outcome.standardOutput.contains("--json FILE"))
  }
}
