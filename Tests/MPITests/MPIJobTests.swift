import Foundation
import MPI
import TestSupport
import Testing

/// What the MPI module does in real jobs. The assertions are in the probe (Tests/Executable/MPIProbe), on every rank.
@Suite(.serialized) struct MPIJobTests {
  private func probe(
    _ arguments: [String], ranks: Int?, environment: [String: String] = [:]
  ) throws -> Program.Outcome {
    // Five seconds are usual under load; a minute means a hang.
    try Program.run(
      arguments, program: Program.built("mpi-probe"), environment: environment, ranks: ranks, timeLimit: 60)
  }

  @Test(.ranks, arguments: [1, 2, 3, 4])
  func `every call does what it promises at any number of ranks`(ranks: Int) throws {
    let outcome = try probe(["\(ranks)"], ranks: ranks)
    #expect(outcome.status == 0, "\(outcome.standardError)")
    #expect(outcome.standardOutput.contains("all checks hold at \(ranks) ranks, Open MPI v"))
  }

  @Test(.ranks) func `a job of another size than it should be fails the probe`() throws {
    let outcome = try probe(["3"], ranks: 2)
    #expect(outcome.status != 0)
    #expect(outcome.standardError.contains("3 ranks were started, this job has 2"))
  }

  @Test func `one rank needs no mpirun, no ssh and no PATH`() throws {
    let outcome = try probe(["1"], ranks: nil, environment: ["PATH": "/nowhere"])
    #expect(outcome.status == 0, "\(outcome.standardError)")
    #expect(outcome.standardOutput.contains("all checks hold at 1 ranks"))
    #expect(outcome.standardError.isEmpty)
  }

  @Test(arguments: [
    ("SLURM_STEP_NUM_TASKS", "add --mpi=pmix to srun"), ("PMI_SIZE", "use Open MPI's mpirun"),
    ("OMPI_COMM_WORLD_SIZE", "use the mpirun of the Open MPI that icp was built with"),
  ])
  func `processes that are each alone are told how to start together`(variable: String, advice: String) throws {
    let outcome = try probe(["1"], ranks: nil, environment: [variable: "4"])
    #expect(outcome.status == 64)
    #expect(outcome.standardError.contains("4 processes were started by"))
    #expect(outcome.standardError.contains(advice))
    #expect(outcome.standardError.split(separator: "\n").count == 1)
  }

  @Test func `one rank is fine where the launcher meant one`() throws {
    let environment = ["SLURM_STEP_NUM_TASKS": "4", "OMPI_COMM_WORLD_SIZE": "1"]
    #expect(try probe(["1"], ranks: nil, environment: environment).status == 0)
  }

  @Test(.ranks, arguments: [("abort", 65), ("abort-256", 70), ("throw", 1)] as [(String, Int32)])
  func `one rank that gives up ends all, with its exit status`(how: String, status: Int32) throws {
    let outcome = try probe(["2", how], ranks: 2)
    #expect(outcome.status == status)
    #expect(!outcome.timedOut)
    // Measured alone: 0.4 s. The limit allows for a machine busy with a build.
    #expect(outcome.seconds < 20)
  }

  @Test func `without peers, giving up is quiet`() throws {
    let outcome = try probe(["1", "abort"], ranks: nil)
    #expect(outcome.status == 65)
    #expect(outcome.standardError.isEmpty)
  }

  @Test func `giving up before MPI runs ends the process with the status`() throws {
    let outcome = try probe(["not-a-number"], ranks: nil)
    #expect(outcome.status == 64)
    #expect(outcome.standardOutput.contains("usage: mpi-probe"))
  }

  @Test(.ranks) func `an error of the library names the call`() throws {
    let outcome = try probe(["2", "root"], ranks: 2)
    #expect(outcome.status == 1)
    #expect(outcome.standardError.contains("MPI_Bcast failed: MPI_ERR_ROOT"))
  }

  @Test func `the library says its name before it runs`() {
    #expect(World.libraryVersion.hasPrefix("Open MPI v"))
  }

  @Test(arguments: [
    (0, 4, []), (1, 4, [0..<1]), (4, 4, [0..<4]), (5, 4, [0..<4, 4..<5]), (9, 4, [0..<4, 4..<8, 8..<9]),
  ])
  func `messages are cut at the largest count, and nothing is sent for nothing`(
    count: Int, limit: Int, expected: [Range<Int>]
  ) throws {
    var ranges: [Range<Int>] = []
    try forEachChunk(of: count, limit: limit) { ranges.append($0) }
    #expect(ranges == expected)
  }
}
