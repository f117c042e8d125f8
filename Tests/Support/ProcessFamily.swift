import Foundation
import Glibc

/// A process and everything it starts, known by a variable in their environment: process groups miss the ranks of
/// mpirun, which puts each in a group of its own.
struct ProcessFamily {
  private let mark = "ICP_TEST_FAMILY=" + UUID().uuidString

  /// Held while a process starts, and while a program is written: a child of another thread that has the file open for
  /// writing until its exec makes it "text file busy".
  static let start = NSLock()

  /// Starts a program with an empty standard input and both outputs in files (a full pipe would stop it).
  func spawn(
    _ executable: String, _ arguments: [String], environment: [String: String], workingDirectory: String?,
    standardOutput: String, standardError: String
  ) throws -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    // The threads that run tests hold signals back, and a process inherits that.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    let create = O_WRONLY | O_CREAT | O_TRUNC
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, standardOutput, create, 0o600)
    posix_spawn_file_actions_addopen(&actions, 2, standardError, create, 0o600)
    // posix_spawn's own way to change the folder is hidden from Swift.
    let command = workingDirectory.map { ["env", "-C", $0] } ?? []

    let inherited = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    var child: pid_t = 0
    let failure = Self.withCStrings(command + [executable] + arguments) { arguments in
      Self.withCStrings(inherited.map { "\($0)=\($1)" } + [mark]) { environment in
        Self.start.withLock { posix_spawnp(&child, arguments[0]!, &actions, &attributes, arguments, environment) }
      }
    }
    guard failure == 0 else {
      throw Program.CannotRun(
        description: "cannot start \(executable): \(String(cString: strerror(failure)))")
    }
    return child
  }

  /// Kills every member that is alive.
  func kill() {
    for member in members { Glibc.kill(member, SIGKILL) }
  }

  /// Waits until no member is alive, and after `patience` seconds kills those that stay.
  func end(within patience: Double) {
    let start = ContinuousClock.now
    while !members.isEmpty {
      if ContinuousClock.now - start > .seconds(patience) { kill() }
      usleep(20_000)
    }
  }

  /// The living members; a dead one that waits for its parent has no environment any more.
  private var members: [pid_t] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    let wanted = Data(mark.utf8)
    return names.compactMap { name in
      guard let process = pid_t(name),
        let environment = FileManager.default.contents(atPath: "/proc/\(name)/environ")
      else { return nil }
      return environment.range(of: wanted) == nil ? nil : process
    }
  }

  private static func withCStrings<Result>(
    _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
  ) -> Result {
    let copies = strings.map { strdup($0) }
    defer { for copy in copies { free(copy) } }
    return body(copies + [nil])
  }
}
