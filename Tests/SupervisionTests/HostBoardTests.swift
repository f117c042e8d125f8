import Foundation
import MPI
import Runtime
import Supervision
import Testing

@Suite struct HostBoardTests {
  /// The boards of `ranks` ranks of one host, each with a mapping of its own of the same memory, as processes have it.
  private func boards(_ ranks: Int, firstRank: Int = 0) throws -> [HostBoard] {
    let file = try #require(tmpfile())
    defer { fclose(file) }
    let bytes = ranks * HostBoard.Line.size * MemoryLayout<Int>.size
    #expect(ftruncate(fileno(file), off_t(bytes)) == 0)
    return try (0..<ranks).map { rank in
      let memory = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fileno(file), 0)
      try #require(memory != MAP_FAILED)
      return HostBoard(memory!, ranks: ranks, mine: rank, rank: 10 + rank, firstRank: firstRank)
    }
  }

  @Test(arguments: [1, 2, 5]) func `what a rank writes into its line, all ranks of the host read`(ranks: Int) throws {
    let boards = try boards(ranks, firstRank: 100)
    for (index, board) in boards.enumerated() {
      board.mine.set(step: 7 + index)
      board.mine.set(phase: Phase.allCases[index], since: 1000 + index, limit: 9 - index)
    }
    for board in boards {
      #expect(board.firstRank == 100 && board.lines.count == ranks)
      for (index, line) in board.lines.enumerated() {
        #expect(line.rank == 10 + index && line.step == 7 + index && line.phase == Phase.allCases[index])
        #expect(line.since == 1000 + index && line.limit == 9 - index)
      }
    }
  }

  @Test func `a rank begins at the start, before any step, for as long as it takes`() throws {
    let before = HostBoard.now
    // A line lives as long as its board.
    try withExtendedLifetime(boards(2)) { boards in
      let line = boards[0].lines[1]
      #expect(line.phase == .start && line.step == 0 && line.limit == .max)
      #expect(line.since >= before && line.since <= HostBoard.now)
    }
  }

  @Test func `a signal handler reads step and phase where they are written`() throws {
    try withExtendedLifetime(boards(2)[1]) { board in
      let addresses = board.mine.addresses
      board.mine.set(step: 42)
      board.mine.set(phase: .save, since: 1, limit: 2)
      #expect(addresses.step.pointee == 42 && addresses.phase.pointee == Int64(Phase.save.rawValue))
    }
  }

  @Test func `a job of one rank has a board of one line, in memory of its own`() throws {
    for board in [HostBoard(rank: 3, firstRank: 4), try HostBoard(.alone)] {
      #expect(board.lines.count == 1 && board.lines[0].rank == board.mine.rank)
      board.mine.set(step: 5)
      #expect(board.lines[0].step == 5)
    }
  }
}
