import Datasets
import Files
import Planning
import Runtime

/// Test images by class, for episodes to draw from.
struct EpisodeClasses: Sendable {
  let test: Dataset
  /// The data files' numbers of the classes.
  let labels: [Int]
  /// The samples of each class, as numbers in `test`.
  let members: [[Int]]

  /// `labels`: the classes to draw from, whether the run kept them or not; nil takes those that it kept.
  init(of plan: MeasurementPlan, labels: [Int]?) throws {
    let kept = plan.configuration.data.classes
    guard let labels else {
      // Kept classes are numbered anew in the data set.
      self.init(plan.test, chosen: Array(0..<plan.test.classes), labels: kept)
      return
    }
    let test = try Self.allTestImages(of: plan)
    if let wrong = labels.first(where: { !(0..<test.classes).contains($0) }) {
      throw UsageError("--classes: there is no class \(wrong) in the data, expected 0 to \(test.classes - 1)")
    }
    guard Set(labels).count == labels.count else { throw UsageError("--classes: a class is named twice") }
    self.init(test, chosen: labels, labels: nil)
  }

  /// The classes that `data.classes` left out of the training; all where it is not set.
  init(leftOutOf plan: MeasurementPlan) throws {
    let test = try Self.allTestImages(of: plan)
    let kept = plan.configuration.data.classes ?? []
    self.init(test, chosen: (0..<test.classes).filter { !kept.contains($0) }, labels: nil)
  }

  private init(_ test: Dataset, chosen: [Int], labels: [Int]?) {
    var members = [[Int]](repeating: [], count: test.classes)
    for sample in 0..<test.count { members[test.label(sample)].append(sample) }
    self.test = test
    self.labels = labels ?? chosen
    self.members = chosen.map { members[$0] }
  }

  private static func allTestImages(of plan: MeasurementPlan) throws(FileError) -> Dataset {
    guard plan.configuration.data.classes != nil else { return plan.test }
    var options = DataOptions(plan.configuration)
    options.classes = nil
    options.indexes = plan.test.pictureIndexes
    return try DataSplits.loadTest(options)
  }

  /// Throws: UsageError where there are too few classes, or images in one.
  func episodes(_ options: EpisodeOptions) throws -> Episodes {
    try Episodes(options, classes: Array(zip(labels, members)))
  }

  /// Tells what two ranks would draw from apart.
  var identity: String { "\(labels) \(members.map(\.count)) of \(test.count)" }
}
