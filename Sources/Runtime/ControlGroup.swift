import Foundation

/// The limits that control groups put on this process, its own group's and those of the groups around it: version 1
/// and 2. A container often shows its group as the root of the tree and names it by a path of the host's: whatever part
/// of that path is there counts.
package struct ControlGroup {
  private let root: String
  private let membership: [[Substring]]

  /// - Parameters:
  ///   - root: where the tree is mounted.
  ///   - membership: the text of /proc/self/cgroup.
  package init(root: String = "/sys/fs/cgroup", membership: String? = nil) {
    self.root = root
    let text = membership ?? Self.text("/proc/self/cgroup") ?? ""
    self.membership = text.split(separator: "\n").map {
      $0.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
    }
  }

  /// How many cores' time may be used; nil where nothing limits it.
  package var cores: Double? {
    let second = files("cpu.max").compactMap { text -> Double? in
      let parts = text.split(separator: " ").compactMap { Double($0) }
      return parts.count == 2 && parts[1] > 0 ? parts[0] / parts[1] : nil
    }
    let first = zip(files("cpu.cfs_quota_us", of: "cpu"), files("cpu.cfs_period_us", of: "cpu")).compactMap {
      quota, period -> Double? in
      guard let quota = Double(quota), let period = Double(period), quota > 0, period > 0 else { return nil }
      return quota / period
    }
    return (first + second).min()
  }

  /// Bytes that may be taken at all.
  package var memoryLimit: Int? {
    let second = folders(of: nil).compactMap { Self.limit("\($0)/memory.max") }
    let first = folders(of: "memory").compactMap { Self.limit("\($0)/memory.limit_in_bytes") }
    return (first + second).min()
  }

  /// Bytes that may still be taken; what the kernel would let go of, pages of files, does not count as taken.
  package var memoryAvailable: Int? {
    let second = folders(of: nil).compactMap { Self.room(in: $0, limit: "memory.max", usage: "memory.current") }
    let first = folders(of: "memory").compactMap {
      Self.room(in: $0, limit: "memory.limit_in_bytes", usage: "memory.usage_in_bytes")
    }
    return (first + second).min()
  }

  /// Without a limit, version 1 says a number near 2^63.
  private static func limit(_ path: String) -> Int? { number(path).flatMap { $0 < 1 << 60 ? $0 : nil } }

  private static func room(in folder: String, limit: String, usage: String) -> Int? {
    guard let limit = Self.limit("\(folder)/\(limit)"), let usage = number("\(folder)/\(usage)") else { return nil }
    let statistics = (text("\(folder)/memory.stat") ?? "").split(separator: "\n").map { $0.split(separator: " ") }
    let line = statistics.first { $0[0] == "total_inactive_file" } ?? statistics.first { $0[0] == "inactive_file" }
    let reclaimable = line.flatMap { $0.count == 2 ? Int($0[1]) : nil } ?? 0
    return max(0, limit - usage + reclaimable)
  }

  /// Processes and threads that may still be made.
  package var processesAvailable: Int? {
    [nil, "pids"].flatMap { controller in
      folders(of: controller).compactMap { folder -> Int? in
        guard let limit = Self.number("\(folder)/pids.max"), let current = Self.number("\(folder)/pids.current")
        else { return nil }
        return max(0, limit - current)
      }
    }.min()
  }

  /// The cores that may be used; nil where no group says.
  package var coreNumbers: [Int]? {
    let names = files("cpuset.cpus.effective") + files("cpuset.effective_cpus", of: "cpuset")
    return (names + files("cpuset.cpus", of: "cpuset")).lazy.map { Self.numbers($0) }.first { !$0.isEmpty }
  }

  /// The contents of a file, from the own group outwards.
  private func files(_ name: String, of controller: String? = nil) -> [String] {
    folders(of: controller).compactMap { Self.text("\($0)/\(name)") }
  }

  /// `controller` nil: the tree of version 2.
  private func folders(of controller: String?) -> [String] {
    let line = membership.first { parts in
      parts.count == 3 && (controller.map { parts[1].split(separator: ",").contains($0[...]) } ?? parts[1].isEmpty)
    }
    let unified = "\(root)/unified"
    let base =
      controller.map { "\(root)/\($0)" } ?? (FileManager.default.fileExists(atPath: unified) ? unified : root)
    let components = line?[2].split(separator: "/").filter { $0 != ".." } ?? []
    return (0...components.count).reversed().map { count in
      ([base] + components.prefix(count).map(String.init)).joined(separator: "/")
    }
  }

  /// 0, 1, 2 and 5 of "0-2,5", as the kernel lists cores.
  package static func numbers(_ list: String) -> [Int] {
    list.split(separator: ",").flatMap { part -> [Int] in
      let ends = part.split(separator: "-").compactMap { Int($0.trimmingCharacters(in: .whitespaces)) }
      guard let first = ends.first, let last = ends.last, first <= last, last < 1 << 16 else { return [] }
      return Array(first...last)
    }
  }

  private static func number(_ path: String) -> Int? { text(path).flatMap { Int($0) } }

  package static func text(_ path: String) -> String? {
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return nil }
    return text.trimmingCharacters(in: .whitespacesAndNewlines)
  }
}
