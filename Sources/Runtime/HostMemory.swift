import Foundation

/// The memory that this process's host, or its control group, has, in bytes; nil where the kernel does not say. Whoever
/// asks how much there is asks here.
package enum HostMemory {
  /// As at the first question: no limit that is set later is seen.
  package static let total: Int? = [value("MemTotal:"), ControlGroup().memoryLimit].compactMap { $0 }.min()
  /// Half of it, a quarter: what one of several things may take. Without a word of the kernel anything.
  package static func part(_ share: Int) -> Int { (total ?? .max) / share }
  /// What can be taken without swapping, by the kernel's own estimate, or within the group's limit.
  package static var available: Int? {
    [value("MemAvailable:"), ControlGroup().memoryAvailable].compactMap { $0 }.min()
  }
  /// What this process has allocated and touched; mapped files are not in it.
  package static var residentAnonymous: Int? { value("RssAnon:", in: "/proc/self/status") }
  /// The same, and what it shares with others of its host.
  package static var resident: Int? {
    residentAnonymous.map { $0 + (value("RssShmem:", in: "/proc/self/status") ?? 0) }
  }

  /// The most that this process has had in memory so far, mapped files included.
  package static var peakResident: Int? { value("VmHWM:", in: "/proc/self/status") }
  /// Mapped files alone, of which hardly any come or go after the start.
  package static var residentFiles: Int? { value("RssFile:", in: "/proc/self/status") }

  private static func value(_ name: String, in file: String = "/proc/meminfo") -> Int? {
    guard let text = try? String(contentsOfFile: file, encoding: .utf8),
      let line = text.split(separator: "\n").first(where: { $0.hasPrefix(name) }),
      let kibibytes = line.split(separator: " ").dropFirst().first.flatMap({ Int($0) })
    else { return nil }
    return kibibytes * 1024
  }
}
