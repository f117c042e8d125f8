import Files
import Glibc
import Kernels
import Runtime
import Synchronization

/// A fault made on purpose (`--fault RANK:STEP[.PHASE]:KIND`), so that tests see the real thing: docs/RELIABILITY.md.
package struct Fault: Sendable, Equatable {
  package enum Kind: Sendable, Equatable {
    /// An error of this rank alone.
    case `throw`
    case trap, segv, abort, kill, stop
    /// The process leaves by `exit`, with 0 or 1.
    case exit0, exit1
    /// Seconds.
    case delay(Double)
    /// A gradient that is not a number.
    case nan
    /// One bit of this rank's weights, or of the sums that it got.
    case bitflip, flipSum
    /// A reduction is left out, or is one value short.
    case skip, count
    /// From this step on nothing can be written, or each fsync takes seconds.
    case enospc, slowDisk(Double)
  }

  package let rank: Int
  /// From 1.
  package let step: Int
  let phase: Phase
  package let kind: Kind

  /// Takes `--fault TEXT` or `--fault=TEXT` out of the arguments of a command; nil where there is none.
  package static func take(from arguments: inout [String]) throws(UsageError) -> Fault? {
    let own = arguments.prefix { $0 != "--" }
    guard let place = own.firstIndex(where: { $0 == "--fault" || $0.hasPrefix("--fault=") }) else { return nil }
    let argument = arguments.remove(at: place)
    if argument != "--fault" { return try Fault(String(argument.dropFirst("--fault=".count))) }
    guard place < arguments.count else { throw UsageError("--fault: expected a fault behind it") }
    return try Fault(arguments.remove(at: place))
  }

  /// Throws: UsageError, which lists what there is.
  package init(_ text: String) throws(UsageError) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    let place = parts.count == 3 ? parts[1].split(separator: ".", maxSplits: 1) : []
    guard let rank = parts.first.flatMap({ Int($0) }), rank >= 0, let step = place.first.flatMap({ Int($0) }), step > 0,
      let kind = parts.last.flatMap({ Self.kind($0) })
    else { throw Self.unusable(text) }
    self.rank = rank
    self.step = step
    self.kind = kind
    guard place.count == 2 else {
      phase = .data
      return
    }
    guard let phase = Self.phases[String(place[1])] else { throw Self.unusable(text) }
    self.phase = phase
  }

  private static let kinds: [String: Kind] = [
    "throw": .throw, "trap": .trap, "segv": .segv, "abort": .abort, "kill": .kill, "stop": .stop, "exit0": .exit0,
    "exit1": .exit1, "nan": .nan, "bitflip": .bitflip, "flip-sum": .flipSum, "skip": .skip, "count": .count,
    "enospc": .enospc,
  ]

  private static let phases = Dictionary(
    uniqueKeysWithValues: Phase.allCases.map { ("\($0)", $0) } + [("reduce", .reduction)])

  private static func kind(_ text: Substring) -> Kind? {
    let parts = text.split(separator: "=", maxSplits: 1)
    guard parts.count == 2 else { return kinds[String(text)] }
    guard let seconds = Double(parts[1]), (0...3600).contains(seconds) else { return nil }
    switch parts[0] {
    case "delay": return .delay(seconds)
    case "slow-disk": return .slowDisk(seconds)
    default: return nil
    }
  }

  private static func unusable(_ text: String) -> UsageError {
    UsageError(
      "--fault \(text): expected RANK:STEP[.PHASE]:KIND, with a step from 1, one of the phases "
        + "\(phases.keys.sorted().joined(separator: ", ")) and one of the kinds "
        + (kinds.keys.sorted() + ["delay=SECONDS", "slow-disk=SECONDS"]).joined(separator: ", "))
  }

  func isDue(step: Int, phase: Phase) -> Bool { step == self.step && phase == self.phase }

  /// What befalls a process wherever it is; other kinds are asked for where they belong.
  func strike() {
    switch kind {
    case .trap: preconditionFailure()
    case .segv: UnsafeMutablePointer<Int>(bitPattern: 8)!.pointee = 0
    case .abort: Glibc.abort()
    case .kill: Glibc.kill(getpid(), SIGKILL)
    case .stop: Glibc.kill(getpid(), SIGSTOP)
    case .exit0: exit(0)
    case .exit1: exit(1)
    case .delay(let seconds): usleep(UInt32(seconds * 1e6))
    case .throw, .nan, .bitflip, .flipSum, .skip, .count, .enospc, .slowDisk: break
    }
  }
}

/// A disk on which, once a fault has struck, nothing can be written, or each fsync takes long.
final class FaultyDisk: Sendable {
  private let kind: Fault.Kind
  private let isStruck = Atomic(false)

  /// Nil for faults of another kind.
  init?(_ fault: Fault?) {
    switch fault?.kind {
    case .enospc, .slowDisk: kind = fault!.kind
    default: return nil
    }
  }

  func strike() { isStruck.store(true, ordering: .relaxed) }

  var system: System {
    System { [self] call in
      guard isStruck.load(ordering: .relaxed) else { return nil }
      if kind == .enospc { return call == "posix_fallocate" || call == "write" ? ENOSPC : nil }
      if case .slowDisk(let seconds) = kind, call == "fsync" { usleep(UInt32(seconds * 1e6)) }
      return nil
    }
  }
}

extension Tensor {
  /// Of its first value, a bit that counts.
  package func flipBit() { pointer.pointee = Float(bitPattern: pointer.pointee.bitPattern ^ 1 << 20) }
}

/// An error ordered by `--fault`.
package struct InjectedFault: ExitCoded, CustomStringConvertible {
  package let description = "an error ordered by --fault"
  package let exitCode = ExitCode.internalError

  package init() {}
}
