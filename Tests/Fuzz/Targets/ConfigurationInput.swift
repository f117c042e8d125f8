import Configuration
import Datasets
import Doctor
import Foundation
import Planning

/// A configuration file, up to the first line that begins with `--set `; the rest are the strings of `--set`, each up
/// to the next such line.
struct ConfigurationInput {
  private let path: String
  private let overrides: [String]

  init(_ input: [UInt8], in folder: Scratch) { (path, overrides) = folder.writeWithOverrides("c.yaml", input) }

  /// What is accepted must be the same when it is written and read again.
  func read() throws -> RunConfiguration {
    let configuration = try RunConfiguration.load(path: path, overrides: overrides)
    let again = try? RunConfiguration(yaml: configuration.resolvedYAML, name: "resolved")
    if again != configuration { finding("written and read again, it differs:\n\(configuration.resolvedYAML)") }
    return configuration
  }

  /// The plan of a run on a few drawn images; their memory is not the plan's.
  func plan() throws {
    let plan = try RunPlan(try read(), ranks: 1, data: Self.images)
    try RankMemory(plan, ranks: 1).check()
    for step in [0, plan.totalSteps / 2, plan.totalSteps - 1] {
      precondition(plan.learningRate[step].isFinite || plan.configuration.optimizer.learningRate > 1e30)
      _ = plan.context(epoch: step / plan.stepsPerEpoch, step: step, batchCount: 1, memorised: 0.9)
    }
  }

  private static let images = try! DataSplits.load(DataOptions(limit: 16, testLimit: 4))
}

extension Scratch {
  /// The part of `input` before the first line that begins with `--set ` as a file, and what stands after each of
  /// those.
  func writeWithOverrides(_ name: String, _ input: [UInt8]) -> (path: String, overrides: [String]) {
    var parts: [[UInt8]] = [[]]
    for line in input.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
      if line.starts(with: "--set ".utf8) {
        parts.append(Array(line.dropFirst(6)))
      } else {
        if !parts[parts.count - 1].isEmpty { parts[parts.count - 1].append(UInt8(ascii: "\n")) }
        parts[parts.count - 1] += line
      }
    }
    return (write(name, parts[0]), parts.dropFirst().map { String(decoding: $0, as: UTF8.self) })
  }
}
