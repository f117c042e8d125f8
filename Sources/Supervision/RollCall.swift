import Glibc
import MPI
import Runtime
import Synchronization

/// Who has come to a reduction that takes too long. A rank that has waited for half of its limit tells the other hosts
/// that it is there, so that a watchdog can name a rank of another host that is not, even if that one cannot speak any
/// more. One rank of each host hears it for all of them, so that there are as many messages as ranks times hosts.
package final class RollCall: @unchecked Sendable {
  private let mailbox: Mailbox
  private let board: HostBoard
  /// Of each rank.
  let hosts: [String]
  var spansHosts: Bool { hosts.contains { $0 != hosts[0] } }
  /// The ranks that hear for the other hosts.
  private let listeners: [Int]
  /// The step that a rank has told of last: written by the thread that waits, of the rank that hears for the host, and
  /// read by the watchdogs of all its ranks. It lives as long as the process.
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
    let onHost = try communicator.onThisHost()
    let shared = try SharedMemory.map(communicator.size * MemoryLayout<Int>.size, on: onHost)
    // Zeros, as the system gives them, are numbers of this type.
    present =
      shared.map { $0.assumingMemoryBound(to: Atomic<Int>.self) } ?? .allocate(capacity: communicator.size)
    if shared == nil { for rank in 0..<communicator.size { (present + rank).initialize(to: Atomic(0)) } }
    // Where memory cannot be shared, every rank hears for itself.
    let first = try onHost.minimum([Int64(communicator.rank)])[0]
    let listener = shared == nil ? communicator.rank : Int(first)
    let all = try communicator.gather(withUnsafeBytes(of: Int64(listener)) { Array($0) }).map { bytes in
      Int(bytes.withUnsafeBytes { $0.loadUnaligned(as: Int64.self) })
    }
    listeners = Set(all).subtracting([listener]).sorted()
  }

  /// Called again and again by a rank that waits in the reduction of `step`.
  package func wait(step: Int) throws(MPIError) {
    let now = HostBoard.now
    guard now - lastTurn > 50_000_000 else { return }
    lastTurn = now
    // For all ranks of the host, of which one may have waited for longer than this one.
    while let message = try mailbox.receive() {
      present[message.rank].store(Int(message.number), ordering: .relaxed)
    }
    let line = board.mine
    guard now - line.since > line.limit / 2, called != step else { return }
    called = step
    try mailbox.send(Int64(step), to: listeners)
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
