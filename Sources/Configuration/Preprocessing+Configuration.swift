import Datasets
import Formats
import Models

/// What a configuration says of preprocessing, beside what the weights say.
extension Preprocessing {
  /// `configuration` with the weights' values wherever it leaves one open.
  package func filling(_ configuration: RunConfiguration, keepsClasses: Bool = false) -> RunConfiguration {
    var filled = configuration
    filled.data.mean = configuration.data.mean ?? mean
    filled.data.std = configuration.data.std ?? std
    filled.data.size = configuration.data.size ?? size?.side
    guard !keepsClasses else { return filled }
    switch classes {
    case .chosen(let labels): filled.data.classes = configuration.data.classes ?? labels
    case .count(let count): filled.model.classes = configuration.model.classes ?? count
    case nil: break
    }
    return filled
  }

  /// Where `configuration` gives another value than the weights have: key, given value, the weights'.
  package func differences(
    from configuration: RunConfiguration, ignoringClasses: Bool = false
  ) -> [(key: String, given: String, own: String)] {
    let data = configuration.data
    var found: [(key: String, given: String, own: String)] = []
    for (key, given, own) in [("data.mean", data.mean, mean), ("data.std", data.std, std)] {
      if let given, let own, given != own { found.append((key, Self.text(given), Self.text(own))) }
    }
    if let given = data.size, let size, size != ImageSize(height: given, width: given) {
      found.append(("data.size", "\(given)", "\(size)"))
    }
    guard !ignoringClasses, let classes else { return found }
    if let given = data.classes, !classes.areLabels(given) {
      found.append(("data.classes", "\(Classes.chosen(given))", "\(classes)"))
    }
    if let given = configuration.model.classes, case .count(let count) = classes, given != count {
      found.append(("model.classes", "\(given)", "\(count)"))
    }
    return found
  }

  /// Throws where `configuration` gives another value than the weights have.
  package func check(_ configuration: RunConfiguration, path: String, ignoringClasses: Bool = false)
    throws(WeightsError)
  {
    guard let found = differences(from: configuration, ignoringClasses: ignoringClasses).first else { return }
    throw WeightsError(
      path: path,
      reason:
        "'\(found.key)' is given as \(found.given), but these weights were trained with \(found.own); leave it out")
  }

  /// Throws where images of `shape` are not what the weights take.
  package func check(_ shape: ImageShape, path: String, of source: String) throws(WeightsError) {
    if let channels, channels != shape.channels {
      throw WeightsError(
        path: path,
        reason: "its images have \(channels) \(channels == 1 ? "channel" : "channels"), \(source) \(shape.channels)")
    }
    let found = ImageSize(height: shape.height, width: shape.width)
    if let size, size != found {
      throw WeightsError(path: path, reason: "its images are of size \(size), \(source) of \(found)")
    }
  }
}

extension Preprocessing.Classes {
  /// Whether the outputs stand for these labels of the data: `[0, 1, 2]` is all of three.
  func areLabels(_ labels: [Int]) -> Bool {
    switch self {
    case .chosen(let own): own == labels
    case .count(let count): labels == Array(0..<count)
    }
  }
}
