import Graph
import Kernels
import Runtime

/// Whether the hosts compute in bfloat16 (`icp.precision`, `training.precision`), and alike.
package enum PrecisionCheck {
  package static func findings(_ job: JobFacts) -> [Finding] {
    let kinds = Set(job.ranks.map(\.bfloat16))
    guard kinds.count == 1, let kind = kinds.first else {
      let without = job.hosts.filter { $0.first.bfloat16 == nil }.map(\.name)
      let text =
        without.isEmpty
        ? "hosts compute in bfloat16 by \(listed(kinds.compactMap(\.self).sorted())): bits differ"
        : "\(listed(without)) cannot compute in bfloat16, other hosts can"
      return [.note("precision", "\(text); across them icp.precision and training.precision are float32 alone")]
    }
    guard let kind else { return [.note("precision", "float32 alone: \(KernelLibrary.bfloat16Lack)")] }
    return [.ok("precision", "float32, and bfloat16 by \(kind)")]
  }
}
