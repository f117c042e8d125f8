import Kernels
import Runtime

/// Few-shot episodes over samples whose classes the network need never have seen. Episode k is a function of the seed
/// and k.
package struct Episodes: Sendable {
  /// One class of one episode: samples by number.
  package struct Group: Equatable, Sendable {
    package var label: Int
    package var support, queries: [Int]

    package init(label: Int, support: [Int], queries: [Int]) {
      self.label = label
      self.support = support
      self.queries = queries
    }
  }

  package let options: EpisodeOptions
  private let classes: [(label: Int, samples: [Int])]

  /// `classes`: each label with the numbers of its samples.
  /// Throws: UsageError where there are fewer classes than an episode has, or too few samples in one.
  package init(_ options: EpisodeOptions, classes: [(label: Int, samples: [Int])]) throws {
    guard options.way <= classes.count else {
      throw UsageError(
        "--way is \(options.way), but there are \(classes.count) classes to draw from, "
          + "\(classes.map { "\($0.label)" }.joined(separator: ", ")); expected 2 to \(classes.count)")
    }
    let needed = options.shots + options.queries
    if let short = classes.first(where: { $0.samples.count < needed }) {
      throw UsageError(
        "class \(short.label) has \(counted(short.samples.count, "test image")), expected at least \(needed): "
          + "\(options.shots) labelled and \(options.queries) to recognise")
    }
    self.options = options
    self.classes = classes
  }

  /// Classes, and samples within each, without replacement.
  package subscript(episode: Int) -> [Group] {
    var stream = RandomStream(seed: options.seed, purpose: .episode, sample: episode)
    return stream.choose(options.way, of: Array(classes.indices)).map { index in
      let chosen = stream.choose(options.shots + options.queries, of: classes[index].samples)
      return Group(
        label: classes[index].label, support: Array(chosen[..<options.shots]),
        queries: Array(chosen[options.shots...]))
    }
  }
}
