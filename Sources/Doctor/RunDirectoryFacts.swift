import Checkpointing
import Files
import Foundation
import Glibc
import Reporting
import Runtime

/// What rank 0 finds where the run's files will go.
package struct RunDirectoryFacts: Codable, Sendable {
  package var path = "runs"
  /// Why it cannot be written, and the exit status that says so; the rest is then unknown.
  package var problem: String?
  package var problemStatus: Int32 = ExitCode.notWritten
  /// Its kind.
  package var fileSystem: String?
  package var free = 0
  package var bytesPerSecond: Double?
  /// Why two runs could write there at once.
  package var missingLock: String?
  /// Who holds the lock, in its own words.
  package var owner: String?

  package init() {}
}

/// Tries what a run will do in its directory, and leaves it as it was.
struct RunDirectoryProbe {
  private(set) var facts = RunDirectoryFacts()
  /// A file that others look for; nil where none could be made. A run removes one that was left by a kill.
  private(set) var file: String?
  private var made: [String] = []

  init(path: String) {
    signal(SIGXFSZ, SIG_IGN)
    facts.path = path
    do {
      try examine(path)
    } catch {
      facts.problem = "\(error)"
      facts.problemStatus = ExitCode.of(error) ?? ExitCode.notWritten
    }
  }

  func remove() {
    if let file { unlink(file) }
    for directory in made.reversed() { rmdir(directory) }
  }

  private mutating func examine(_ path: String) throws {
    try RunDirectory.check(path)
    let system = System()
    var missing: [String] = []
    var ancestor = path
    while !System.isDirectory(ancestor), System.parentDirectory(ancestor) != ancestor {
      missing.append(ancestor)
      ancestor = System.parentDirectory(ancestor)
    }
    for directory in missing.reversed() {
      try system.call("mkdir", directory) { mkdir(directory, 0o755) }
      made.append(directory)
    }
    let file = "\(path)/.doctor.tmp.\(getpid())"
    let descriptor = try system.open(file, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW)
    defer { close(descriptor) }
    self.file = file
    facts.free = SpaceFacts.Folder.read(path)?.free ?? 0
    facts.fileSystem = Self.fileSystem(of: descriptor)
    facts.missingLock = try Self.missingLock(descriptor, file)
    facts.owner = try Self.owner(of: path)
    facts.bytesPerSecond = try Self.writeSpeed(descriptor, file, room: facts.free)
  }

  /// Of 16 MiB and their fsync; of less where that would fill the disk.
  private static func writeSpeed(_ descriptor: Int32, _ path: String, room: Int) throws(SystemError) -> Double? {
    let bytes = (0..<min(16 << 20, room / 2)).map { UInt8(truncatingIfNeeded: $0 &* 0x9E37_79B1 >> 16) }
    let start = ContinuousClock.now
    try System().write(bytes, to: descriptor, path: path)
    try System().call("fsync", path) { fsync(descriptor) }
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    try System().call("ftruncate", path) { ftruncate(descriptor, 0) }
    return bytes.count < 1 << 20 ? nil : Double(bytes.count) / max(seconds, 1e-6)
  }

  /// A second lock by another descriptor must be refused.
  private static func missingLock(_ descriptor: Int32, _ path: String) throws(SystemError) -> String? {
    let other = try System().open(path, O_RDWR)
    defer { close(other) }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else { return String(cString: strerror(errno)) }
    guard flock(other, LOCK_EX | LOCK_NB) != 0 else { return "a second lock was granted" }
    flock(descriptor, LOCK_UN)
    return nil
  }

  private static func owner(of path: String) throws(SystemError) -> String? {
    let lock = "\(path)/.lock"
    guard access(lock, F_OK) == 0 else { return nil }
    let descriptor = try System().open(lock, O_RDWR | O_NOFOLLOW)
    defer { close(descriptor) }
    guard flock(descriptor, LOCK_SH | LOCK_NB) != 0, errno == EWOULDBLOCK else { return nil }
    let text = ControlGroup.text(lock) ?? ""
    return text.isEmpty ? "another process" : String(text.prefix(200).filter { $0.isASCII && !$0.isNewline })
  }

  /// As the kernel lists what is mounted: "ext4", "nfs4", "lustre".
  private static func fileSystem(of descriptor: Int32) -> String? {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { return nil }
    // Linux's encoding of a device number, whose macros Swift does not import.
    let (major, minor) = (status.st_dev >> 8 & 0xFFF, status.st_dev & 0xFF | status.st_dev >> 12 & ~0xFF)
    let device = "\(major):\(minor)"
    let lines = (ControlGroup.text("/proc/self/mountinfo") ?? "").split(separator: "\n").map {
      $0.split(separator: " ")
    }
    guard let line = lines.first(where: { $0.count > 2 && $0[2] == device }), let mark = line.firstIndex(of: "-"),
      mark + 1 < line.count
    else { return nil }
    return String(line[mark + 1])
  }
}
