import Yams

extension RunConfiguration {
  /// What the preset that `given` names last sets, as settings for `given` to go over.
  static func preset(of given: [Setting]) throws(ConfigurationError) -> [Setting] {
    var chosen = RunConfiguration()
    guard let choice = given.last(where: { $0.key.path == "icp.preset" }), choice.key.read(choice.value, &chosen)
    else { return [] }
    var settings: [Setting] = []
    for (path, value) in chosen.icp.preset.settings {
      settings.append(try setting(of: "\(path)=\(value)", from: .preset(chosen.icp.preset)))
    }
    return settings
  }

  /// The preset, and the keys that have another value than it sets; nil without one.
  package var presetText: String? {
    guard icp.preset != .none else { return nil }
    let departures = icp.preset.settings.compactMap(departure)
    return icp.preset.rawValue + (departures.isEmpty ? "" : ", but " + departures.joined(separator: ", "))
  }

  /// "icp.steps is 2, not 1"; nil where the key has that value.
  private func departure(from setting: (key: String, value: String)) -> String? {
    guard let key = ConfigurationTable.byPath[setting.key] else {
      preconditionFailure("there is no key \(setting.key)")
    }
    var preset = self
    let isRead = (try? Yams.compose(yaml: setting.value)).map { key.read($0, &preset) }
    precondition(isRead == true, "\(setting.key) does not take \(setting.value)")
    let own = key.write(self)
    return own == key.write(preset) ? nil : "\(setting.key) is \(own), not \(setting.value)"
  }
}
