import Mustache
import Reporting
import Runtime

/// What the template is filled with: its names are those of the properties.
struct Page {
  struct Command {
    let purpose, command: String
  }

  struct Figure {
    let name, text, exact: String

    init(_ name: String, _ value: Double, isFraction: Bool) {
      self.name = name
      text = Chart.number(value, isFraction)
      exact = "\(value)"
    }
  }

  struct Text {
    let run, text: String
  }

  struct Configuration {
    var repeats: [Command] = []
    var tables: [PageTable] = []
    var texts: [Text] = []
  }

  let version = Platform.version
  let style = PageStyle.text
  let script = PageScript.text
  var title: String
  var subtitle: String
  var figures: [Figure] = []
  /// Sentences.
  var summary: [String] = []
  var commands: [Command] = []
  /// One of several runs, none of a single one.
  var comparison: [ChartSection] = []
  var accuracy = ChartSection()
  var refinement = ChartSection()
  var pictures: [PictureBlock] = []
  var confusion: [ConfusionBlock] = []
  var calibration: [CalibrationBlock] = []
  var time = ChartSection()
  var configuration = Configuration()
  /// Whether blocks say which run they are of.
  var isSeveral = false

  init(title: String, subtitle: String) {
    self.title = title
    self.subtitle = subtitle
  }

  /// The page as a file has it.
  var html: String {
    do {
      var library = MustacheLibrary()
      for (name, text) in [
        ("page", PageTemplate.page), ("charts", PageTemplate.charts), ("chart", PageTemplate.chart),
        ("timeline", PageTemplate.timeline),
        ("table", PageTemplate.table), ("pictures", PageTemplate.pictures), ("confusion", PageTemplate.confusion),
        ("calibration", PageTemplate.calibration),
      ] {
        try library.register(text, named: name)
      }
      return library.render(self, withTemplate: "page")!
    } catch {
      preconditionFailure("the page's template: \(error)")
    }
  }
}
