import Foundation
import TestSupport
import Testing

/// A rank that fails, stops or lies: the job ends by itself, says who and where, and nothing is lost.
@Suite(.serialized, .timeLimit(.minutes(3))) struct SupervisedRunTests {
  private func train(
    _ tiny: TinyRun, fault: String, _ settings: [String] = [], into run: String = "run", ranks: Int? = 3
  ) throws -> Program.Outcome {
    try tiny.train(fault: fault, settings, into: run, ranks: ranks)
  }

  /// mpirun needs up to two seconds to end the other ranks; the issue's bound for an error.
  private let seconds = 10.0

  // MARK: Ends

  @Test(
    .ranks,
    arguments: [
      ("throw", 70, "phase reduction: an error ordered by --fault"),
      ("trap", 70, "phase refinement: a check of the program failed"),
      ("segv", 70, "phase refinement: memory that is not the program's was touched (SIGSEGV)"),
      ("abort", 70, "phase refinement: a library gave up (SIGABRT)"),
      ("exit0", 70, "phase refinement: the process was ended by exit"),
      ("exit1", 70, "phase refinement: the process was ended by exit"),
    ] as [(String, Int32, String)])
  func `a rank that ends in the middle ends all, with one line that says where`(
    kind: String, status: Int32, says: String
  ) throws {
    let tiny = try TinyRun()
    let outcome = try train(tiny, fault: "1:7.refinement:\(kind)", ["checkpoint.every_steps=3"])
    outcome.expect(status, "icp: rank 1 host \(ProcessInfo.processInfo.hostName) step 7 \(says)")
    #expect(outcome.seconds < seconds)
    #expect(outcome.messages.count == 1, "\(outcome.messages)")
    try goesOn(tiny)
  }

  @Test func `without peers too`() throws {
    let tiny = try TinyRun()
    let outcome = try train(tiny, fault: "0:3:segv", ranks: nil)
    outcome.expect(70, "step 3 phase data: memory that is not the program's was touched")
  }

  @Test func `a mapped file that becomes shorter is said`() throws {
    let tiny = try TinyRun()
    try BadInputTests.Files.right.write(to: tiny.path("data"))
    let big = tiny.path("data/data_batch_1.bin")
    let handle = try #require(FileHandle(forWritingAtPath: big))
    try handle.truncate(atOffset: 3073 * 20000)
    try handle.close()
    let script = try tiny.folder.write(
      """
      #!/bin/bash
      (until [[ -e run/checkpoints/step-0000001.safetensors ]]; do sleep 0.01; done; truncate -s 3073 \(big)) &
      exec "\(Program.icp)" "$@"
      """, to: "cut", executable: true)
    let outcome = try tiny.command(
      ["train", "tiny.yaml", "--run-dir", "run"],
      [
        "data.format=cifar10", "data.path=data", "data.test_limit=5", "checkpoint.every_steps=1",
        "checkpoint.keep=1000",
        "training.batch_size=5", "model.kind=mlp", "model.classes=10",
      ], program: script)
    outcome.expect(70, "a mapped file became shorter")
  }

  // MARK: Hangs

  // In the reduction it is stopped where the others wait for it.
  @Test(
    .ranks,
    arguments: [
      ("backward", "stop", nil), ("reduction", "stop", nil), ("backward", "delay=1000", "did not get on for"),
    ] as [(String, String, String?)])
  func `a rank that does not get on is named, with its phase, and the job is 75`(
    phase: String, kind: String, itself: String?
  ) throws {
    let tiny = try TinyRun()
    let outcome = try train(tiny, fault: "1:7.\(phase):\(kind)", ["watchdog.seconds=2", "checkpoint.every_steps=3"])
    outcome.expect(75, "checkpoint (watchdog.seconds sets the limit)")
    let host = ProcessInfo.processInfo.hostName
    if let itself {
      #expect(outcome.standardError.contains("icp: rank 1 host \(host) step 7 phase \(phase): \(itself)"))
    } else {
      #expect(outcome.standardError.contains("for rank 1 host \(host), in phase \(phase) of step 7 for "))
    }
    #expect(outcome.seconds < 2 + seconds)
    try goesOn(tiny)
  }

  @Test(.ranks) func `a slow disk is no hang`() throws {
    let tiny = try TinyRun()
    try train(tiny, fault: "0:7:slow-disk=1.5", ["watchdog.seconds=1"], ranks: 2).expect(0)
  }

  // MARK: Disagreement

  @Test(
    .ranks,
    arguments: [
      (
        "bitflip", "rank 1 host \(ProcessInfo.processInfo.hostName) holds other values than the other ranks in fc.bias;"
      ),
      (
        "flip-sum",
        "rank 1 host \(ProcessInfo.processInfo.hostName) holds other values than the other ranks in fc.bias, optimizer.exp_avg.fc.bias"
      ),
    ])
  func `a flipped bit is found within the agreed steps, naming rank and tensor, and is not saved`(
    kind: String, says: String
  ) throws {
    let tiny = try TinyRun()
    let outcome = try train(
      tiny, fault: "1:7:\(kind)",
      ["agreement.every_steps=4", "checkpoint.every_epochs=none", "checkpoint.every_steps=6"])
    outcome.expect(76, "icp: after step 8: \(says)")
    #expect(outcome.messages.count == 1)
    #expect(try tiny.checkpoints() == ["step-0000006.safetensors"])
    // Also where only a save compares.
    let saving = try train(tiny, fault: "1:8:\(kind)", ["agreement.every_steps=none"], into: "saving")
    saving.expect(76, "icp: after step 10: \(says)")
    try goesOn(tiny)
  }

  @Test(.ranks, arguments: [("skip", 76), ("count", 76)] as [(String, Int32)], [0, 1])
  func `messages that do not belong together are an error, never a hang or a wrong step`(
    fault: (kind: String, status: Int32), rank: Int
  ) throws {
    let tiny = try TinyRun()
    let outcome = try train(tiny, fault: "\(rank):7:\(fault.kind)", ["checkpoint.every_steps=3", "watchdog.seconds=3"])
    outcome.expect(fault.status)
    #expect(outcome.standardError.contains("rank \(rank)"))
    #expect(outcome.seconds < seconds)
    try goesOn(tiny)
  }

  // MARK: Requests

  @Test(.ranks, arguments: [("USR1", nil), ("USR1", 0), ("USR1", 1), ("TERM", 1)] as [(String, Int?)])
  func `a request to stop saves after the same step on all ranks, and is 85`(signal: String, rank: Int?) throws {
    let tiny = try TinyRun()
    try tiny.train(into: "unbroken").expect(0)
    let target = rank.map { "$(cat rank\($0).pid)" } ?? "$PPID"
    let script = try tiny.folder.write(
      """
      #!/bin/bash
      echo $$ > rank$OMPI_COMM_WORLD_RANK.pid
      if [[ $OMPI_COMM_WORLD_RANK == 0 ]]; then
        (until [[ -e run/checkpoints/step-0000003.safetensors ]]; do sleep 0.01; done
         kill -\(signal) \(target); sleep 0.02; kill -\(signal) \(target)) &
      fi
      exec "\(Program.built("icp-faulty"))" "$@"
      """, to: "stopped", executable: true)
    let outcome = try tiny.command(
      ["train", "tiny.yaml", "--run-dir", "run", "--fault", "0:5.student:delay=1"], ["checkpoint.every_steps=1"],
      ranks: 2,
      program: script)
    outcome.expect(85)
    // The signal comes when step 3 is saved, and step 5 takes a second, in which a rank may wait with its word given.
    let said = (3...6).map {
      "icp: stopped on request after step \($0), which is saved; --resume auto goes on from there"
    }
    #expect(outcome.messages.count == 1 && said.contains(String(outcome.messages[0])), "\(outcome.messages)")
    #expect(try tiny.checkpoints().count < 8)
    try tiny.train(resume: "auto", ranks: 3).expect(0)
    #expect(try tiny.tensors(20) == tiny.tensors(20, of: "unbroken"))
    #expect(try tiny.records().map(\.timeless) == tiny.records(of: "unbroken").map(\.timeless))
  }

  @Test func `a program alone saves on an interrupt`() throws {
    let tiny = try TinyRun()
    let script = try tiny.folder.write(
      """
      #!/bin/bash
      (until [[ -e run/checkpoints/step-0000003.safetensors ]]; do sleep 0.01; done; kill -INT $$) &
      exec "\(Program.built("icp-faulty"))" "$@"
      """, to: "interrupted", executable: true)
    let outcome = try tiny.command(
      ["train", "tiny.yaml", "--run-dir", "run", "--fault", "0:5.student:delay=1"], ["checkpoint.every_steps=1"],
      program: script)
    outcome.expect(85, "icp: stopped on request after step ")
  }

  // MARK: The injector

  @Test(arguments: ["1:7", "1:7:nothing", "x:7:trap", "1:0:trap", "1:7.lunch:trap", "1:7:delay", "1:7:delay=-1"])
  func `a fault that cannot be meant is 64, and what there is is listed`(fault: String) throws {
    let tiny = try TinyRun()
    let outcome = try tiny.train(fault: fault)
    outcome.expect(64, "expected RANK:STEP[.PHASE]:KIND", "refinement", "slow-disk=SECONDS")
  }

  @Test func `the released program knows no fault, and no symbol of the injector is in it`() throws {
    let tiny = try TinyRun()
    try tiny.command(["train", "tiny.yaml", "--run-dir", "run", "--fault=0:1:throw"], program: Program.built("icp"))
      .expect(64, "Unknown option '--fault'")
    func injector(in program: String) throws -> [Substring] {
      let symbols = try Program.run(executable: "nm", ["--defined-only", Program.built(program)], timeLimit: 60)
      #expect(symbols.status == 0 && symbols.standardOutput.contains(" T main"), "\(symbols.standardError)")
      return symbols.standardOutput.split(separator: "\n").filter {
        $0.contains("FaultInjection") || $0.contains("faults_set_reduction") || $0.hasSuffix(" T shared_put")
      }
    }
    #expect(try injector(in: "icp") == [])
    // They would be found.
    #expect(try injector(in: "icp-faulty").count > 10)
  }

  /// A fresh start goes on from what was saved and ends with the bits of a run that nothing happened to.
  private func goesOn(_ tiny: TinyRun) throws {
    try tiny.train(into: "unbroken").expect(0)
    try tiny.train(resume: "auto", ranks: 2).expect(0)
    #expect(try tiny.tensors(20) == tiny.tensors(20, of: "unbroken"))
  }
}
