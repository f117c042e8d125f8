import Glibc
import Logging

/// Lines like `icp: warning: ...` on standard error, each in one write, so that those of several ranks do not mix.
package struct ConsoleLogHandler: LogHandler {
  package var logLevel: Logger.Level
  package var metadata: Logger.Metadata = [:]
  private let console: Console?
  private let output: Int32

  /// - Parameters:
  ///   - console: whose bar is taken away for the line; nil on ranks that show none.
  ///   - output: a file descriptor, standard error unless a test says otherwise.
  package init(console: Console?, level: Logger.Level = .info, output: Int32 = STDERR_FILENO) {
    self.console = console
    logLevel = level
    self.output = output
  }

  /// Makes this the handler of every logger made from now on. Once a process, from the command line's start.
  package static func install(console: Console?, level: Logger.Level = .info) {
    LoggingSystem.bootstrap { _ in ConsoleLogHandler(console: console, level: level) }
  }

  package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  package func log(event: LogEvent) {
    let all = metadata.merging(event.metadata ?? [:]) { $1 }.sorted { $0.key < $1.key }
    let line = Self.line(event.level, event.message.description, all.map { ($0.key, $0.value.description) })
    if let console {
      console.withoutBar { write(line, to: output) }
    } else {
      write(line, to: output)
    }
  }

  package static func line(_ level: Logger.Level, _ message: String, _ metadata: [(String, String)]) -> String {
    let kind = level >= .error ? "error: " : level == .warning ? "warning: " : ""
    let details = metadata.map { " \($0.0)=\($0.1)" }.joined()
    return "icp: \(kind)\(message)\(details)\n"
  }
}
