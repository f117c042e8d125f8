import Foundation
import Glibc

/// The most memory that each rank of a job takes: pages of its own and pages that it shares, without those of files.
package final class MemoryWatch: @unchecked Sendable {
  private let program: String
  private let word: String
  private let lock = NSLock()
  private var isEnded = false
  private var others: Set<pid_t> = []
  private var ranks: [pid_t: Int] = [:]
  private var peaks: [Int: Int] = [:]

  /// Watches processes of `program` that have `word` in their command line.
  package init(program: String, word: String) {
    self.program = Self.destination(program)
    self.word = word
  }

  /// Runs `body`; what it starts is watched meanwhile. Returns each rank's peak in bytes.
  package func peaks(during body: () throws -> Void) rethrows -> [Int: Int] {
    let thread = Thread { [self] in
      while !lock.withLock({ isEnded }) {
        look()
        usleep(2_000)
      }
    }
    thread.start()
    defer { lock.withLock { isEnded = true } }
    try body()
    return lock.withLock { peaks }
  }

  private func look() {
    for process in (try? FileManager.default.contentsOfDirectory(atPath: "/proc"))?.compactMap({ pid_t($0) }) ?? [] {
      if ranks[process] == nil, !others.contains(process) { meet(process) }
    }
    for (process, rank) in ranks {
      guard let bytes = Self.peak(of: process) else { continue }
      lock.withLock { peaks[rank] = max(peaks[rank] ?? 0, bytes) }
    }
  }

  /// A process may still be what started it, this program or another with the word: then it is looked at again.
  private func meet(_ process: pid_t) {
    let executable = Self.destination("/proc/\(process)/exe")
    guard executable == program else {
      if executable == Self.destination("/proc/self/exe"), process != getpid() { return }
      if Self.text("/proc/\(process)/cmdline").map({ !$0.contains(word) }) ?? true { others.insert(process) }
      return
    }
    guard Self.text("/proc/\(process)/cmdline")?.contains(word) == true else { return }
    let environment = Self.text("/proc/\(process)/environ")?.split(separator: "\0") ?? []
    let rank = environment.first { $0.hasPrefix("OMPI_COMM_WORLD_RANK=") || $0.hasPrefix("PMI_RANK=") }
    ranks[process] = rank.flatMap { Int($0.split(separator: "=")[1]) } ?? 0
  }

  /// The kernel keeps the peak of all pages, those of files among them, of which hardly any come or go after the start.
  private static func peak(of process: pid_t) -> Int? {
    guard let text = text("/proc/\(process)/status") else { return nil }
    func kibibytes(_ name: String) -> Int? {
      text.split(separator: "\n").first { $0.hasPrefix(name) }?.split(separator: " ").dropFirst().first.flatMap {
        Int($0)
      } ?? nil
    }
    guard let whole = kibibytes("VmHWM:\t"), let files = kibibytes("RssFile:\t") else { return nil }
    return (whole - files) << 10
  }

  private static func text(_ path: String) -> String? {
    FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) }
  }

  private static func destination(_ path: String) -> String {
    guard let name = realpath(path, nil) else { return path }
    defer { free(name) }
    return String(cString: name)
  }
}
