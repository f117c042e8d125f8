import Foundation
import Reporting
import Runtime

package struct MemoryFacts: Codable, Sendable {
  /// Bytes that a host's processes can still take: by the kernel's estimate, or the control group's limit. Nil where
  /// the kernel does not say.
  package var available: Int?

  package init() {}

  static func read() -> MemoryFacts {
    var facts = MemoryFacts()
    facts.available = HostMemory.available
    return facts
  }
}
