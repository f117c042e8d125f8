import Yams

/// YAML text to nodes, for text that may be hostile: limits before parsing, no anchors, aliases or tags after it.
package enum ConfigurationYAML {
  /// Bytes of a file or of the value of `--set`; every key with its comment fits in a tenth.
  static let sizeLimit = 65536
  private static let depthLimit = 16
  /// Yams hashes the keys of a mapping, and a key made of aliases of aliases takes time exponential in their number
  /// (seven levels of nine: 14 s). With this few it takes none; more are refused before parsing.
  private static let aliasLimit = 8

  /// The root node; nil where the text holds no document.
  package static func parse(_ text: String, from source: ConfigurationSource) throws(ConfigurationError) -> Node? {
    guard text.utf8.count <= sizeLimit else {
      throw source.error("larger than the \(sizeLimit) bytes that a configuration may have")
    }
    if let place = excessiveAlias(text) { throw source.error("aliases (*name) are not accepted", at: place) }
    do {
      // Not `compose`: a node's anchor is a weak reference to the parser's.
      let parser = try Parser(yaml: text, encoding: .utf8)
      return try withExtendedLifetime(parser) {
        let root = try parser.singleRoot()
        if let root { try inspect(root, depth: 1, source) }
        return root
      }
    } catch let error as YamlError {
      throw source.error(error)
    } catch let error as ConfigurationError {
      throw error
    } catch {
      throw source.error("\(error)")
    }
  }

  /// The place of the first alias too many, where there may be one: a star before a name, in a comment too.
  private static func excessiveAlias(_ text: String) -> TextPosition? {
    var (position, star): (TextPosition, TextPosition?) = (.init(), nil)
    var aliases = 0
    for scalar in text.unicodeScalars {
      if star != nil, let byte = UInt8(exactly: scalar.value), byte.isAnchorCharacter { aliases += 1 }
      if aliases > aliasLimit { return star }
      star = scalar == "*" ? position : nil
      position.pass(scalar)
    }
    return nil
  }

  /// Goes through the document in its order, so that it meets an anchor before any alias of it.
  private static func inspect(_ node: Node, depth: Int, _ source: ConfigurationSource) throws {
    guard depth <= depthLimit else {
      throw source.error("nested more than \(depthLimit) deep", at: node.position)
    }
    guard node.anchorName == nil else {
      throw source.error("anchors (&name) and aliases (*name) are not accepted", at: node.position)
    }
    switch node {
    case .scalar(let scalar):
      // The parser gives quoted text the tag of a string.
      let tag = scalar.tag.description
      let isQuoted = scalar.style != .plain
      guard tag.isEmpty || (isQuoted && tag == Tag.Name.str.rawValue) else { throw source.tagError(node) }
    case .sequence(let sequence):
      guard sequence.tag.description.isEmpty else { throw source.tagError(node) }
      for entry in sequence { try inspect(entry, depth: depth + 1, source) }
    case .mapping(let mapping):
      guard mapping.tag.description.isEmpty else { throw source.tagError(node) }
      for (key, value) in mapping {
        guard key.scalar != nil else { throw source.error("expected the name of a key", at: key.position) }
        guard key.anchorName == nil else {
          throw source.error("anchors (&name) and aliases (*name) are not accepted", at: key.position)
        }
        try inspect(value, depth: depth + 1, source)
      }
    case .alias:
      throw source.error("aliases (*name) are not accepted", at: node.position)
    }
  }
}

extension Node {
  fileprivate var anchorName: String? {
    switch self {
    case .scalar(let scalar): scalar.anchor?.rawValue
    case .sequence(let sequence): sequence.anchor?.rawValue
    case .mapping(let mapping): mapping.anchor?.rawValue
    case .alias(let alias): alias.anchor.rawValue
    }
  }
}

extension ConfigurationSource {
  fileprivate func tagError(_ node: Node) -> ConfigurationError {
    error("tags (!name) are not accepted", at: node.position)
  }

  /// Yams' own description is several lines with a picture.
  fileprivate func error(_ yaml: YamlError) -> ConfigurationError {
    switch yaml {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
      .composer(_, let problem, let mark, _):
      if problem.hasPrefix("Maximum nesting level") {
        return error("nested too deep", at: TextPosition(mark))
      }
      return error("not YAML: \(problem)", at: TextPosition(mark))
    case .reader(let problem, let offset, _, let text):
      var position = TextPosition()
      for scalar in text.prefix(offset ?? 0).unicodeScalars { position.pass(scalar) }
      return error("not YAML: \(problem)", at: position)
    case .duplicatedKeysInMapping(let keys, let context):
      return error(
        "key '\(YAMLText.shown(keys.first ?? "", limit: 60))' is given more than once", at: TextPosition(context.mark))
    default:
      return error("not YAML: \(YAMLText.shown("\(yaml)", limit: 200))")
    }
  }
}
