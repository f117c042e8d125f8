import Foundation
import Reporting
import Runtime

/// What this process holds of its host: in a run of days none of it may grow, so it is in every epoch's record.
package struct ProcessResources {
  /// Allocated and touched; mapped files are not in it. Nil where the kernel does not say.
  var residentBytes: Int?
  var openFiles: Int?
  var threads: Int?

  package var values: NamedValues {
    func value(_ number: Int?) -> RecordValue { .number(number.map { Double($0) }) }
    return ["resident_bytes": value(residentBytes), "open_files": value(openFiles), "threads": value(threads)]
  }

  /// That all its threads have had so far.
  package static var processorSeconds: Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }

  /// Those of now.
  package static var current: ProcessResources {
    func count(_ folder: String) -> Int? { try? FileManager.default.contentsOfDirectory(atPath: folder).count }
    return ProcessResources(
      residentBytes: HostMemory.residentAnonymous, openFiles: count("/proc/self/fd"), threads: count("/proc/self/task"))
  }
}
