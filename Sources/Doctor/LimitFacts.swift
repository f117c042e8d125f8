import Foundation
import Reporting
import Runtime

/// What `ulimit` and the control group allow a rank; nil where there is no limit.
package struct LimitFacts: Codable, Sendable {
  /// ulimit -n
  package var files: Int?
  /// Of the user's processes and threads: ulimit -u, or what is left of the control group's number.
  package var processes: Int?
  /// Bytes of a core file, ulimit -c.
  package var core: Int? = 0
  /// Bytes that may be locked in memory, ulimit -l.
  package var locked: Int?
  package var hasInfiniBand = false

  package init() {}

  static func read(_ group: ControlGroup) -> LimitFacts {
    var facts = LimitFacts()
    let text = ControlGroup.text("/proc/self/limits") ?? ""
    facts.files = limit("Max open files", in: text)
    facts.processes = [limit("Max processes", in: text), group.processesAvailable].compactMap { $0 }.min()
    facts.core = limit("Max core file size", in: text)
    facts.locked = limit("Max locked memory", in: text)
    facts.hasInfiniBand = FileManager.default.fileExists(atPath: "/dev/infiniband")
    return facts
  }

  /// "Max open files  1024  524288  files": the first number, which is in force.
  package static func limit(_ name: String, in text: String) -> Int? {
    text.split(separator: "\n").first { $0.hasPrefix(name) }?
      .dropFirst(name.count).split(separator: " ").first.flatMap { Int($0) }
  }
}
