import Glibc
import MPI
import Runtime
import Synchronization

/// Who has come to a reduction that takes too long. A rank that has waited for half of its limit tells all others that
/// it is there, so that a watchdog can name a rank of another host that is not, even if that one cannot speak any more.
package final class RollCall: @unchecked Sendable {
  private let mailbox: Mailbox
  private let board: HostBoard
  /// Of each rank.
  let hosts: [String]
  var spansHosts: Bool { hosts.contains { $0 != hosts[0] } }
  /// The step that a rank has told of last: written by the thread that waits, read by the watchdog.
  private let present: UnsafeMutablePointer<Atomic<Int>>
  private var called = 0
  private var lastTurn = 0

  /// Every rank calls it.
  init(_ communicator: Communicator, _ board: HostBoard) throws(MPIError) {
    mailbox = try Mailbox(communicator)
    self.board = board
    let host = Array(Platform.host.utf8.prefix(64))
    hosts = try communicator.gather(host + Array(repeating: 0, count: 64 - host.count)).map {
      String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
    }
    present = .allocate(capacity: communicator.size)
    for rank in 0..<communicator.size { (present + rank).initialize(to: Atomic(0)) }
  }

  /// Called again and again by a rank that waits in the reduction of `step`.
  package func wait(step: Int) throws(MPIError) {
    let now = HostBoard.now
    guard now - lastTurn > 50_000_000 else { return }
    lastTurn = now
    let line = board.mine
    guard now - line.since > line.limit / 2 else { return }
    if called != step {
      called = step
      try mailbox.sendToAll(Int64(step))
    }
    while let message = try mailbox.receive() {
      present[message.rank].store(Int(message.number), ordering: .relaxed)
    }
  }

  /// Steps begin at 1 again: what was told of another run does not count.
  func forget() {
    called = 0
    for rank in hosts.indices { present[rank].store(0, ordering: .relaxed) }
  }

  /// The ranks that have not told that they are in `step`, without `rank` itself.
  func absent(in step: Int, besides rank: Int) -> [Int] {
    hosts.indices.filter { $0 != rank && present[$0].load(ordering: .relaxed) != step }
  }
}
