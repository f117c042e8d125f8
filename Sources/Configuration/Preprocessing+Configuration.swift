import Datasets
import Files
import Formats
import Models
import Runtime

/// What a configuration says of preprocessing, beside what the weights say.
extension Preprocessing {
  /// What a run of `configuration` that starts from the weights goes by: a new head has classes of its own.
  package func starting(_ configuration: RunConfiguration) -> RunConfiguration {
    filling(configuration, keepsClasses: configuration.model.head == .new)
  }

  /// `configuration` with the weights' values wherever it leaves one open.
  package func filling(_ configuration: RunConfiguration, keepsClasses: Bool = false) -> RunConfiguration {
    var filled = configuration
    filled.data.mean = configuration.data.mean ?? mean
    filled.data.std = configuration.data.std ?? std
    filled.data.size = configuration.data.size ?? size?.side
    if configuration.data.format == .images { filled.data.channels = configuration.data.channels ?? channels }
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
    if let given = data.channels, let channels, given != channels {
      found.append(("data.channels", "\(given)", "\(channels)"))
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
    throws(FileError)
  {
    guard let found = differences(from: configuration, ignoringClasses: ignoringClasses).first else { return }
    throw FileError(
      path: path,
      reason:
        "'\(found.key)' is given as \(found.given), but these weights were trained with \(found.own); leave it out")
  }

  /// Throws where `configuration` gives another number of channels than the weights have: no other can be trained on
  /// either, since the first layer would not fit.
  package func checkChannels(_ configuration: RunConfiguration, path: String) throws(FileError) {
    guard let given = configuration.data.channels, let channels, given != channels else { return }
    throw FileError(
      path: path,
      reason: "'data.channels' is given as \(given), but these weights were trained with \(channels); leave it out")
  }

  /// Throws where the data's classes, by their names in order, are not those that the weights' outputs stand for.
  package func check(_ names: [String]?, path: String) throws(FileError) {
    guard let own = classNames, let names, own != names else { return }
    func text(_ names: [String]) -> String { listed(names.map(quoted), most: 10) }
    let place = zip(own, names).enumerated().first { $0.element.0 != $0.element.1 }
    let first =
      place.map {
        " (output \($0.offset) is \(quoted($0.element.0)), the data's class \($0.offset) \(quoted($0.element.1)))"
      } ?? ""
    throw FileError(
      path: path, reason: "its outputs are \(text(own)), but the data's classes are \(text(names))\(first)")
  }

  /// Throws where images of `shape` are not what the weights take.
  package func check(_ shape: ImageShape, path: String, of source: String) throws(FileError) {
    if let channels, channels != shape.channels {
      throw FileError(
        path: path,
        reason: "its images have \(counted(channels, "channel")), \(source) \(shape.channels)")
    }
    let found = ImageSize(height: shape.height, width: shape.width)
    if let size, size != found {
      throw FileError(path: path, reason: "its images are of size \(size), \(source) of \(found)")
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
