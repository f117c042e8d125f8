import Foundation

/// This host's memory in bytes, by the kernel; nil where it does not say.
package enum HostMemory {
  package static var total: Int? { value("MemTotal:") }
  /// What can be taken without swapping, by the kernel's own estimate.
  package static var available: Int? { value("MemAvailable:") }
  /// What this process has allocated and touched; mapped files are not in it.
  package static var residentAnonymous: Int? { value("RssAnon:", in: "/proc/self/status") }

  private static func value(_ name: String, in file: String = "/proc/meminfo") -> Int? {
    guard let text = try? String(contentsOfFile: file, encoding: .utf8),
      let line = text.split(separator: "\n").first(where: { $0.hasPrefix(name) }),
      let kibibytes = line.split(separator: " ").dropFirst().first.flatMap({ Int($0) })
    else { return nil }
    return kibibytes * 1024
  }
}
