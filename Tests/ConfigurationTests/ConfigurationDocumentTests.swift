import Configuration
import Foundation
import Testing

private let packageRoot = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  .deletingLastPathComponent()

/// The table beside what is said of it elsewhere.
@Suite struct ConfigurationDocumentTests {
  @Test func `a key's name is its property in camel case`() {
    for section in Mirror(reflecting: RunConfiguration()).children {
      let properties = Mirror(reflecting: section.value).children.flatMap { property in
        // A group of keys is a property with properties.
        "\(type(of: property.value))".hasSuffix("Group")
          ? Mirror(reflecting: property.value).children.map { "\(section.label!).\(property.label!).\($0.label!)" }
          : ["\(section.label!).\(property.label!)"]
      }
      let keys = ConfigurationTable.keys.filter { $0.section == section.label! }.map { key in
        key.path.split(separator: ".").map { name in
          let words = name.split(separator: "_")
          return words[0] + words.dropFirst().map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
        }.joined(separator: ".")
      }
      #expect(properties == keys)
    }
    #expect(
      Mirror(reflecting: RunConfiguration()).children.map { $0.label! }
        == ConfigurationTable.sections.map(String.init))
  }

  /// ICP_RECORD=1 writes the tables anew.
  @Test func `docs/CONFIGURATION.md lists these keys with these defaults`() throws {
    let path = packageRoot.path(percentEncoded: false) + "docs/CONFIGURATION.md"
    let document = try String(contentsOfFile: path, encoding: .utf8)
    let (start, end) = ("<!-- keys -->\n", "<!-- end of keys -->")
    let before = try #require(document.range(of: start))
    let after = try #require(document.range(of: end))
    if ProcessInfo.processInfo.environment["ICP_RECORD"] == "1" {
      let recorded = document[..<before.upperBound] + Self.markdown + document[after.lowerBound...]
      try recorded.write(toFile: path, atomically: true, encoding: .utf8)
    } else {
      let found = document[before.upperBound..<after.lowerBound]
      #expect(found == Self.markdown, "run this test with ICP_RECORD=1 and read what changed")
    }
  }

  private static var markdown: String {
    ConfigurationTable.sections.map { section in
      let rows = ConfigurationTable.keys.filter { $0.section == section }.map { key in
        "| `\(key.path)` | \(key.defaultText) | \(key.expected) | \(key.unit) | \(key.meaning) |\n"
      }
      return "### \(section)\n\n| key | default | values | unit | meaning |\n|---|---|---|---|---|\n"
        + rows.joined() + "\n"
    }.joined()
  }
}
