import Files
import Foundation
import Reporting
import Runtime

/// What few-shot episodes came to. Accuracies are fractions of 0...1.
package struct EpisodeReport: Equatable, Sendable {
  package let options: EpisodeOptions
  /// The labels that were drawn from.
  package let classes: [Int]
  /// Mean over the episodes, which all have as many queries.
  package let accuracy: Double
  /// Of the episodes' accuracies, with n - 1 below.
  package let standardDeviation: Double

  /// `correct`: queries recognised, an entry an episode; there must be two at least.
  package init(options: EpisodeOptions, classes: [Int], correct: [Int]) {
    precondition(correct.count >= 2 && correct.count == options.episodes, "\(correct.count) episodes")
    self.options = options
    self.classes = classes
    let queries = Double(options.way * options.queries)
    accuracy = Double(correct.reduce(0, +)) / (queries * Double(correct.count))
    standardDeviation = Statistics.standardDeviation(correct.map { Double($0) / queries })!
  }

  /// Half of the 95 % interval of the mean, 1.96 s / sqrt(episodes): what other episodes of the same classes and
  /// weights might give. It says nothing about other seeds of training, or other classes.
  package var interval: Double { 1.96 * standardDeviation / Double(options.episodes).squareRoot() }

  package var text: String {
    """
    \(options.way)-way \(options.shots)-shot, \(counted(options.queries, "query")) a class, \(counted(options.episodes, "episode")) of seed \
    \(options.seed), nearest centroid (\(options.distance.rawValue))
    classes: \(classes.map { "\($0)" }.joined(separator: ", "))
    accuracy: \(percent(accuracy)) +- \(percent(interval)) (95 %)
    """
  }

  /// One JSON object.
  package var json: String {
    struct Report: Encodable {
      var accuracy, interval, standard_deviation: Double
      var way, shots, queries, episodes, seed: Int
      var distance: String
      var classes: [Int]
    }
    let report = Report(
      accuracy: accuracy, interval: interval, standard_deviation: standardDeviation, way: options.way,
      shots: options.shots, queries: options.queries, episodes: options.episodes, seed: options.seed,
      distance: options.distance.rawValue, classes: classes)
    return JSONText.of(report)
  }
}
