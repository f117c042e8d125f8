/// What tables of a study need to know of its sweep: `study.json` in its directory.
struct StudyOutline: Codable {
  /// Of an earlier version, nil.
  var about: String?
  var baseline: String?
  /// In the order of the rows and tables.
  var variants: [String]
  var points: [String]
  var metrics: [String]
  var searchMetric: String?
  /// Directories below the study's.
  var runs: [String]

  static let name = "study.json"

  init(_ sweep: Sweep, runs: [SweepRun]) {
    about = sweep.about
    baseline = sweep.baseline
    metrics = sweep.metrics
    searchMetric = sweep.search?.metric
    variants = sweep.variants.map(\.name)
    points = sweep.points.map(\.title)
    self.runs = runs.map(\.name)
  }

  static func read(_ directory: String) -> StudyOutline? { StudyFile.read(StudyOutline.self, "\(directory)/\(name)") }
}
