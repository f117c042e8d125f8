import Configuration
import Formats

/// A run as a row of TensorBoard's table of hyper-parameters.
extension RunConfiguration {
  /// Shown of every run, so that runs beside each other have them in common.
  private static let usual: Set = [
    "model.kind", "data.format", "training.epochs", "training.batch_size", "training.seed", "optimizer.kind",
    "optimizer.learning_rate", "schedule.kind", "icp.rule", "icp.steps", "icp.step_size",
  ]

  /// The usual keys, and every other that moves weights and is not at its default.
  var session: [(name: String, value: EventFile.Event.Setting)] {
    let standard = RunConfiguration()
    return ConfigurationTable.keys.filter { key in
      Self.usual.contains(key.path) || (key.role == .weights && key.write(self) != key.write(standard))
    }.map { key in
      let text = key.write(self)
      return switch (text, Double(text)) {
      case ("true", _), ("false", _): (key.path, .flag(text == "true"))
      case (_, let number?): (key.path, .number(number))
      default: (key.path, .text(text))
      }
    }
  }
}
