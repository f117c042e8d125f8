import Foundation
import TestSupport
import Testing

/// What the job script does with the ways in which a start can end, with stand-ins for Slurm's commands;
/// launch/test-slurm runs it under Slurm itself.
@Suite struct `launch/slurm.sbatch` {
  @Test(
    .long,
    arguments: [
      (0, false), (64, false), (65, false), (85, false), (75, true), (137, true), (143, true), (205, true),
    ])
  func `starts again after what may pass, and not after what stays`(status: Int, again: Bool) throws {
    let job = try Job()
    let outcome = try job.start(status: status)
    #expect(outcome.status == Int32(status))
    #expect(job.requeues == (again ? ["requeue 7"] : []))
    #expect(outcome.standardOutput.contains("ended with \(status), newest checkpoint: none"))
  }

  @Test(arguments: [(true, 0, []), (false, 205, ["requeue 7"])])
  func `believes the 0 of several nodes where rank 0 has come to the end`(
    isThere: Bool, status: Int32, requeues: [String]
  )
    throws
  {
    let job = try Job()
    let outcome = try job.start(
      status: 0, environment: ["SLURM_JOB_NUM_NODES": "2", "ENDS": isThere ? "yes" : ""])
    #expect(outcome.status == status, "\(outcome.standardError)")
    #expect(job.requeues == requeues)
  }

  @Test func `passes the signal before the time limit on, waits for the save and goes back into the queue`() throws {
    let job = try Job()
    let outcome = try job.start(status: 85, signal: "USR1")
    #expect(outcome.status == 85)
    #expect(outcome.standardOutput.contains("heard USR1"))
    #expect(job.requeues == ["requeue 7"])
  }

  @Test func `leaves a job that Slurm ends itself to Slurm`() throws {
    let job = try Job()
    #expect(try job.start(status: 143, signal: "TERM").status == 143)
    #expect(job.requeues == [])
  }

  @Test func `gives up after three starts without a new checkpoint`() throws {
    let job = try Job()
    for restart in 0...2 {
      #expect(try job.start(status: 137, restart: restart).status == 137)
    }
    #expect(job.requeues.count == 2)
    let fourth = try job.start(status: 137, restart: 3)  // which Slurm may order, after a preemption
    #expect(fourth.status == 75)
    #expect(fourth.standardError.contains("3 starts without a new checkpoint (newest: none)"))
    // Progress counts anew, and so does a job that is submitted again.
    #expect(try job.start(status: 137, restart: 0, saving: 100).status == 137)
    #expect(job.requeues.count == 3)
    for restart in 1...3 {
      _ = try job.start(status: 137, restart: restart, saving: 200 + restart)
    }
    #expect(job.requeues.count == 6)
  }

  @Test func `a hangup is passed on, and the job ends`() throws {
    let job = try Job()
    let outcome = try job.start(status: 85, signal: "HUP")
    #expect(outcome.status == 85)
    #expect(outcome.standardOutput.contains("heard HUP"))
    #expect(job.requeues == [])
  }

  @Test(arguments: ["a[$(touch ran)] 2", "9 a[$(touch ran)]", "-1 9999999999999999999999", "\u{1B}[2J", ""])
  func `no word of the file that counts starts is taken for more than a number`(text: String) throws {
    let job = try Job()
    try job.tree.folder.write(text, to: "run/slurm-starts")
    let outcome = try job.start(status: 137, restart: 1)
    #expect(outcome.status == 137, "\(outcome.standardError)")
    #expect(job.requeues == ["requeue 7"])
    #expect(!FileManager.default.fileExists(atPath: job.tree.folder.path("ran")))
    #expect(job.tree.lines(of: "run/slurm-starts") == ["-1 1"])
  }

  @Test func `what the count of starts is a link to stays as it is`() throws {
    let job = try Job()
    try job.tree.folder.write("-1 3", to: "another")
    try job.tree.folder.write("", to: "run/log")
    try FileManager.default.createSymbolicLink(
      atPath: job.tree.folder.path("run/slurm-starts"), withDestinationPath: job.tree.folder.path("another"))
    #expect(try job.start(status: 137, restart: 1).status == 137)
    #expect(job.tree.lines(of: "another") == ["-1 3"])
    #expect(job.tree.lines(of: "run/slurm-starts") == ["-1 1"])
  }

  @Test func `the command it says to go on with is one for a shell, with all that was given`() throws {
    let job = try Job(requeues: false)
    let outcome = try job.start(status: 137, more: ["--set", "data.path='a b'"])
    #expect(outcome.status == 137)
    #expect(
      outcome.standardError.contains(
        #"go on with sbatch launch/slurm.sbatch \#(job.configuration) -- --run-dir \#(job.tree.folder.path("run")) "#
          + #"--set data.path=\'a\ b\'"#))
  }

  @Test func `takes mpirun where Slurm has no PMIx, or where told so`() throws {
    #expect(try Job().start(status: 0).standardOutput.contains("ranks by srun"))
    #expect(try Job(pmix: false).start(status: 0).standardOutput.contains("ranks by mpirun"))
    #expect(
      try Job().start(status: 0, environment: ["ICP_LAUNCHER": "mpirun"]).standardOutput.contains("ranks by mpirun"))
  }

  @Test func `refuses a wrong command line`() throws {
    let job = try Job()
    for (arguments, says) in [
      ([], "no configuration: sbatch launch/slurm.sbatch CONFIG"),
      (["missing.yaml"], "cannot read the configuration missing.yaml"),
      (["--set", "a=b"], "unknown option --set: Slurm's go before the script"),
      ([job.configuration, "--", "--resume", "never"], "--resume: the job resumes by itself"),
    ] {
      let outcome = try job.run(arguments)
      #expect(outcome.status == 64)
      #expect(outcome.standardError.contains(says))
    }
    let outcome = try job.tree.run("slurm.sbatch", [job.configuration])
    #expect(outcome.status == 64)
    #expect(outcome.standardError.contains("this is no Slurm job"))
  }
}

/// Job 7 in a tree with stand-ins: `srun` and `mpirun` run one rank, `scontrol` writes down what it is asked.
private struct Job {
  let tree: LaunchTree
  var configuration: String { tree.folder.path("configs/quickstart.yaml") }
  var requeues: [String] { tree.lines(of: "requeues") }

  init(pmix: Bool = true, requeues: Bool = true) throws {
    let runRank = #"while [[ $1 == -* ]]; do shift; done; exec "$@""#
    tree = try LaunchTree(programs: [
      "srun": #"[[ $1 == --mpi=list ]] && { echo "\#(pmix ? "pmix" : "none")"; exit; }; "# + runRank,
      "mpirun": runRank,
      "scontrol": #"[[ $1 == show ]] || echo "$*" >>"$HOME/requeues""# + (requeues ? "" : "; exit 1"),
    ])
    try tree.folder.write(
      #"""
      #!/bin/bash
      [[ -z ${SAVING-} ]] || { mkdir -p "$HOME/run/checkpoints"; : >"$HOME/run/checkpoints/step-0000$SAVING.safetensors"; }
      [[ -z ${ENDS-} ]] || touch "$ICP_END_MARK"
      if [[ ${SIGNAL-} ]]; then
        trap 'echo "heard $SIGNAL"; exit $STATUS' USR1
        # The script, behind the shell that waits for this rank.
        kill -s "$SIGNAL" "$(awk '/^PPid/ { print $2 }' /proc/$PPID/status)"
        for _ in {1..50}; do [[ $SIGNAL != TERM ]] || break; sleep 0.1; done
      fi
      exit "$STATUS"

      """#, to: ".build/release/icp", executable: true)
  }

  func start(
    status: Int, signal: String = "", restart: Int = 0, saving step: Int? = nil, more: [String] = [],
    environment: [String: String] = [:]
  ) throws -> Program.Outcome {
    let own = [
      "STATUS": "\(status)", "SIGNAL": signal, "SLURM_RESTART_COUNT": "\(restart)",
      "SAVING": step.map { "\($0)" } ?? "",
    ]
    return try run(
      [configuration, "--", "--run-dir", tree.folder.path("run")] + more, environment: own.merging(environment) { $1 })
  }

  func run(_ arguments: [String], environment: [String: String] = [:]) throws -> Program.Outcome {
    try tree.run("slurm.sbatch", arguments, environment: environment.merging(["SLURM_JOB_ID": "7"]) { $1 })
  }
}
