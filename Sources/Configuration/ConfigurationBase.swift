import Foundation
import Yams

/// `base: FILE` of a configuration file: what the file says stands over what that one says, which may have a base too.
struct ConfigurationBase {
  static let key = "base"
  private static let most = 16
  /// From the first file to this one; none where a text is from no file.
  private let files: [String]

  init(of file: String?) { files = file.map { [$0] } ?? [] }
  private init(_ files: [String]) { self.files = files }

  /// The file that `value` names, relative to the file that names it. Throws where that leads to no end.
  func file(
    named value: Node, _ source: ConfigurationSource
  ) throws(ConfigurationError) -> (path: String, base: ConfigurationBase) {
    guard let file = files.last else { throw source.error("'base' is not accepted here: this is no file") }
    guard let text = value.text, !text.isEmpty else {
      throw source.error("key 'base': expected a configuration file, got \(value.shown)", at: value.position)
    }
    let folder = file.contains("/") ? String(file[...file.lastIndex(of: "/")!]) : ""
    let path = text.hasPrefix("/") ? text : folder + text
    let chain = files + [path]
    guard !files.map(Self.resolved).contains(Self.resolved(path)) else {
      throw source.error("'base' goes in a circle: \(chain.joined(separator: " > "))", at: value.position)
    }
    guard files.count < Self.most else {
      throw source.error("'base' leads through more than \(Self.most) files", at: value.position)
    }
    return (path, ConfigurationBase(chain))
  }

  private static func resolved(_ path: String) -> String {
    URL(filePath: path).resolvingSymlinksInPath().standardizedFileURL.path(percentEncoded: false)
  }
}
